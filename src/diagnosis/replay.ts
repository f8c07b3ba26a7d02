/** Makes a recorded diagnosis again, offline, by the playbooks and thresholds that are given. */

import { SIGNALS } from '../catalog/signals.js';
import { loadPlaybookTexts } from '../playbook/load.js';
import type { PlaybookEntry } from '../playbook/schema.js';
import { type DiagnoseOutcome, diagnose } from './diagnose.js';
import { createRecordedSource } from './recorded-source.js';
import type { Diagnosed, Recording } from './recording.js';
import { createReplayClock } from './replay-clock.js';

export type ReplayWith = {
  readonly entries: readonly PlaybookEntry[];
  readonly thresholds: Readonly<Record<string, number>>;
  /** What fired, for a recording that holds only evidence. */
  readonly alert?: Diagnosed['alert'];
};

const DEADLINE_MS = 4000;

/** Touches neither network nor the system's clock. Throws for a recording without a diagnosis when no alert is given. */
export async function replay(recording: Recording, options: ReplayWith): Promise<DiagnoseOutcome> {
  const { diagnosed } = recording;
  const alert = options.alert ?? diagnosed?.alert;
  if (alert === undefined) throw new Error('the recording does not say which alert fired');
  return diagnose({
    entries: options.entries,
    labels: alert.labels,
    alertName: alert.name,
    alertExpression: alert.expression,
    scope: recording.scope,
    source: createRecordedSource(recording),
    thresholds: options.thresholds,
    atMs: recording.atMs,
    deadlineMs: diagnosed?.deadlineMs ?? DEADLINE_MS,
    clock: createReplayClock(diagnosed?.startedAtMs ?? recording.atMs),
    timeScale: recording.timeScale,
  });
}

/**
 * The same by the recording's own entry and thresholds: whatever differs then is not the playbook's doing. Null where
 * its texts cannot be read by this version.
 */
export async function replayAsRecorded(recording: Recording): Promise<DiagnoseOutcome | null> {
  const { diagnosed } = recording;
  if (diagnosed === null) return null;
  const { entries } = loadPlaybookTexts(diagnosed.entry.texts, {
    signals: new Set(SIGNALS.map(({ name }) => name)),
    thresholds: diagnosed.thresholds,
  });
  const entry = entries.find(({ id }) => id === diagnosed.entry.id);
  if (entry === undefined) return null;
  // It ran then, so it runs now: its matchers, which come from the file, are not asked.
  const chosen = { ...entry, isDefault: true, match: [] };
  return replay(recording, { entries: [chosen], thresholds: diagnosed.thresholds });
}
