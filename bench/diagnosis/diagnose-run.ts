/** The product's own diagnosis of one run at one moment, and what the baselines make of the same findings. */

import { systemClock } from '../../src/app.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import { labelsFrom } from '../../src/domain/labels.js';
import type { MetricsSource } from '../../src/domain/metrics-source.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { matchEntry } from '../../src/playbook/match.js';
import type { PlaybookEntry } from '../../src/playbook/schema.js';
import { checklistCause, thresholdsCause } from './baselines.js';
import { leverOf } from './lever-of.js';

export type RunDiagnosis = {
  readonly alertName: string;
  readonly verdict: Verdict;
  /** What the first fix turns; null without a fix, or where the playbook names no lever. */
  readonly lever: string | null;
  /** Every fix whose lever is known, in the verdict's order. */
  readonly fixes: readonly { readonly lever: string; readonly text: string }[];
  readonly checklist: string | null;
  readonly thresholds: string | null;
};

const PATIENCE_MS = 120_000;

export async function diagnoseRun(options: {
  readonly source: MetricsSource;
  readonly entries: readonly PlaybookEntry[];
  readonly alertName: string;
  readonly severity: string;
  readonly scope: Readonly<Record<string, string>>;
  readonly atMs: number;
}): Promise<RunDiagnosis> {
  const { entries, alertName, atMs, source } = options;
  const labels = labelsFrom(
    Object.entries({ ...options.scope, alertname: alertName, severity: options.severity }),
  );
  const { findings, verdict } = await diagnose({
    entries,
    labels,
    alertName,
    alertExpression: null,
    scope: labelsFrom(Object.entries(options.scope)),
    source,
    thresholds: DEFAULT_THRESHOLDS,
    atMs,
    deadlineMs: PATIENCE_MS,
    clock: systemClock,
  });
  const { entry } = matchEntry(entries, labels);
  const levers = verdict.fixes.map((fix) => ({
    lever: leverOf(entry, verdict.cause, fix),
    text: `${fix.do} ${fix.command ?? ''}`,
  }));
  return {
    alertName,
    verdict,
    lever: levers[0]?.lever ?? null,
    fixes: levers.flatMap(({ lever, text }) => (lever === null ? [] : [{ lever, text }])),
    checklist: checklistCause(findings),
    thresholds: thresholdsCause(entry, findings),
  };
}
