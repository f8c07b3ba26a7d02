/** One diagnosis: find the entry, enrich, run its steps, decide. Always in time, never an exception. */

import type { Clock } from '../domain/clock.js';
import type { Labels } from '../domain/labels.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { Enrichment, Finding, Verdict } from '../domain/verdict.js';
import { matchEntry } from '../playbook/match.js';
import type { PlaybookEntry } from '../playbook/schema.js';
import { startDeadline } from './deadline.js';
import { enrich } from './enrich.js';
import { blind } from './numberless-finding.js';
import { runSteps } from './run-steps.js';
import { decideVerdict } from './verdict.js';

export type DiagnoseOptions = {
  readonly entries: readonly PlaybookEntry[];
  /** Of the lead alert; with `alertname`. */
  readonly labels: Labels;
  readonly alertName: string;
  readonly alertExpression: string | null;
  readonly scope: Scope;
  readonly source: MetricsSource;
  readonly thresholds: Readonly<Record<string, number>>;
  readonly atMs: number;
  /** For all of it, 4 s by default. */
  readonly deadlineMs?: number;
  readonly clock: Clock;
  readonly timeScale?: number;
};

export type DiagnoseOutcome = {
  readonly entryId: string;
  readonly entryIsDefault: boolean;
  readonly enrichment: Enrichment;
  readonly findings: readonly Finding[];
  readonly verdict: Verdict;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
};

const DEADLINE_MS = 4000;
/** Kept back of the deadline for judging what was read and for a loop that is late. */
const RESERVE = 0.05;

/** Never rejects. Whatever has no answer in time is `unknown`, and says so. */
export async function diagnose(options: DiagnoseOptions): Promise<DiagnoseOutcome> {
  const { clock, scope, thresholds } = options;
  const startedAtMs = clock.now();
  const started = clock.monotonic();
  const timeScale = options.timeScale ?? 1;
  const budgetMs = (options.deadlineMs ?? DEADLINE_MS) * (1 - RESERVE);
  const match = matchEntry(options.entries, { ...options.labels, alertname: options.alertName });
  const { entry } = match;
  const deadline = startDeadline(clock, budgetMs);
  try {
    const run = { ...options, entry, timeScale, deadlineMs: budgetMs, signal: deadline.signal };
    // The steps ask first: the verdict is what the page waits for.
    const steps = runSteps(run).catch((error: unknown) => entry.steps.map((step) => failedStep(step, error)));
    const enriched = enrich({ ...options, timeScale, signal: deadline.signal }).catch(
      emptyEnrichment(options),
    );
    const [findings, enrichment] = await Promise.all([steps, enriched]);
    const verdict = decideVerdict(entry, findings, { scope, thresholds });
    return {
      entryId: entry.id,
      entryIsDefault: match.isDefault,
      enrichment,
      findings,
      verdict,
      startedAtMs,
      // The wall clock may be stepped meanwhile; a diagnosis never took a negative time.
      finishedAtMs: startedAtMs + Math.round(clock.monotonic() - started),
    };
  } finally {
    deadline.end();
  }
}

function failedStep(step: PlaybookEntry['steps'][number], error: unknown): Finding {
  const nothing = { kind: 'unseen', reason: 'check_failed', detail: '', engine: null, query: null } as const;
  return blind(
    step,
    { main: nothing, tookMs: 0 },
    'check_failed',
    `the check itself failed: ${messageOf(error)}`,
  );
}

function emptyEnrichment(options: DiagnoseOptions): (error: unknown) => Enrichment {
  return (error) => ({
    expression: options.alertExpression,
    valueNow: null,
    valueHourAgo: null,
    valueDayAgo: null,
    health: [],
    workersAffected: [],
    workersTotal: null,
    restartsLastHour: null,
    replicaChangesLastHour: null,
    unseen: [`Nothing was fetched beside the checks: ${messageOf(error)}`],
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
