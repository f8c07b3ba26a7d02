/** Replays a recording by today's playbooks and says what differs from the recorded verdict, and which edit did it. */

import type { Finding, Verdict } from '../domain/verdict.js';
import {
  type EntryChange,
  entryChanges,
  type PlaceInEntry,
  placesNaming,
} from '../playbook/entry-changes.js';
import { type PlaybookText, textsOf } from '../playbook/load.js';
import { type Comparison, canonicalDiagnosis, compareDiagnoses } from './compare-diagnoses.js';
import type { DiagnoseOutcome } from './diagnose.js';
import type { Diagnosed, Recording } from './recording.js';
import { type ReplayWith, replay, replayAsRecorded } from './replay.js';

export type ThresholdChange = {
  readonly name: string;
  /** Null: there is none of that name. */
  readonly was: number | null;
  readonly is: number | null;
  /** Steps and causes of the entry that name it. */
  readonly usedAt: readonly PlaceInEntry[];
};

export type JudgedReplay = {
  readonly outcome: DiagnoseOutcome;
  /** Null where the recording holds no verdict to compare with. */
  readonly comparison: Comparison | null;
  /** Set when another entry serves the alert than did then. */
  readonly entryWas: string | null;
  readonly changes: readonly EntryChange[];
  readonly thresholds: readonly ThresholdChange[];
  /**
   * Whether the recorded entry still gives the recorded verdict: `no` means that this version judges otherwise than
   * the one that recorded, or that the evidence was read anew then. Only asked when something differs.
   */
  readonly asRecorded: 'yes' | 'no' | 'unreadable' | null;
};

export async function judgeReplay(
  recording: Recording,
  options: ReplayWith & { readonly texts: readonly PlaybookText[] },
): Promise<JudgedReplay> {
  const outcome = await replay(recording, options);
  const { diagnosed } = recording;
  const nothing = { entryWas: null, changes: [], thresholds: [], asRecorded: null };
  if (diagnosed === null) return { outcome, comparison: null, ...nothing };
  const before = madeOf(diagnosed);
  const comparison = compareDiagnoses(before, outcome);
  if (comparison.kind === 'same') return { outcome, comparison, ...nothing };

  const after = textsOf(outcome.entryId, options.texts);
  const isOther = outcome.entryId !== diagnosed.entry.id;
  const changes = isOther ? [] : entryChanges(outcome.entryId, diagnosed.entry.texts, after);
  const thresholds = thresholdChanges(diagnosed, options.thresholds, outcome.entryId, after);
  const control = await replayAsRecorded(recording);
  return {
    outcome,
    comparison,
    entryWas: isOther ? diagnosed.entry.id : null,
    changes: telling(changes, ({ id }) => comparison.touched.has(id)),
    thresholds: telling(thresholds, ({ usedAt }) => usedAt.some(({ id }) => comparison.touched.has(id))),
    asRecorded:
      control === null
        ? 'unreadable'
        : canonicalDiagnosis(control) === canonicalDiagnosis(before)
          ? 'yes'
          : 'no',
  };
}

/** Edits of what came out otherwise; all of them where none is. */
function telling<T>(edits: readonly T[], isTouched: (edit: T) => boolean): readonly T[] {
  const touched = edits.filter(isTouched);
  return touched.length > 0 ? touched : edits;
}

/** Only those that the entry names: others can change nothing. */
function thresholdChanges(
  diagnosed: Diagnosed,
  now: Readonly<Record<string, number>>,
  entryId: string,
  texts: readonly PlaybookText[],
): ThresholdChange[] {
  const then = diagnosed.thresholds;
  const valueIn = (values: Readonly<Record<string, number>>, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? null) : null;
  return [...new Set([...Object.keys(then), ...Object.keys(now)])].sort().flatMap((name) => {
    const [was, is] = [valueIn(then, name), valueIn(now, name)];
    if (was === is || !/^[\w.]+$/.test(name)) return [];
    const usedAt = placesNaming(name, entryId, texts);
    return usedAt.length === 0 ? [] : [{ name, was, is, usedAt }];
  });
}

/** The schema of a recording keeps what it does not name, so the types of the product fit what the product wrote. */
function madeOf({ findings, verdict }: Diagnosed) {
  return {
    findings: findings as unknown as readonly Finding[],
    verdict: { explains: [], ...verdict } as unknown as Verdict,
  };
}
