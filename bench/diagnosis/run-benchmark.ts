/** The whole benchmark: plans in batches, each batch one database, each run one diagnosis. */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ALERTS } from '../../src/catalog/alerts.js';
import type { EngineFile } from '../../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { HOUR, MINUTE, SECOND } from '../../src/domain/clock.js';
import { type SteppedAlert, steppedAlerts } from '../../src/generate/stepped-alerts.js';
import type { PlaybookEntry } from '../../src/playbook/schema.js';
import { buildDatabase } from './build-database.js';
import { playLoop } from './closed-loop.js';
import { diagnoseRun } from './diagnose-run.js';
import { type FiringAlert, findAlerts } from './find-alerts.js';
import { groupBy } from './group-by.js';
import { leadAlert } from './lead-alert.js';
import { type OpenDatabase, openDatabase } from './open-database.js';
import { PLACE } from './place.js';
import { blindCluster, type RunPlan } from './run-plan.js';
import { hasFault, type RunResult } from './score.js';
import type { SimulationPool } from './simulation-pool.js';

export type BenchmarkOptions = {
  readonly plans: readonly RunPlan[];
  readonly engines: readonly EngineFile[];
  readonly entries: readonly PlaybookEntry[];
  readonly prometheus: string;
  readonly promtool: string;
  /** For databases; emptied batch by batch. */
  readonly directory: string;
  /** ms since 1970: data are laid into the hours before it. */
  readonly nowMs: number;
  readonly batch: number;
  readonly pool: SimulationPool;
  readonly onProgress: (line: string) => void;
};

/** `group_wait` of the generated Alertmanager configuration, and the way to us. */
const WEBHOOK_DELAY_MS = 6 * SECOND;
/** promtool makes a block of every two hours: a run begins well inside one. */
const BLOCK_MS = 2 * HOUR;
const RATE_WINDOW_MS = 5 * MINUTE;
const AT_ONCE = 4;

export async function runBenchmark(options: BenchmarkOptions): Promise<RunResult[]> {
  const rules = steppedAlerts(ALERTS, options.engines, DEFAULT_THRESHOLDS);
  const results: RunResult[] = [];
  for (let from = 0; from < options.plans.length; from += options.batch) {
    const plans = options.plans.slice(from, from + options.batch);
    const directory = join(options.directory, `batch-${from}`);
    await mkdir(directory, { recursive: true });
    try {
      results.push(...(await runBatch(plans, directory, rules, options)));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
  return results;
}

async function runBatch(
  plans: readonly RunPlan[],
  directory: string,
  rules: readonly SteppedAlert[],
  options: BenchmarkOptions,
): Promise<RunResult[]> {
  const { onProgress } = options;
  // The same evaluation grid for every run, and nothing of it in the block being written now.
  const startedAtMs = Math.floor(options.nowMs / BLOCK_MS) * BLOCK_MS - 2 * BLOCK_MS + 5 * MINUTE;
  let seconds = stopwatch();
  const dataDirectory = await buildDatabase({ ...options, plans, directory, startedAtMs });
  onProgress(`${plans.length} runs simulated and written in ${seconds()} s`);
  const database = await openDatabase({ ...options, dataDirectory });
  try {
    seconds = stopwatch();
    const endMs = startedAtMs + Math.max(...plans.map(({ durationMs }) => durationMs));
    const firings = await findAlerts(database.client, rules, { startMs: startedAtMs, endMs });
    onProgress(`alerts found in ${seconds()} s: ${firings.length}`);
    seconds = stopwatch();
    const byCluster = groupBy(firings, ({ labels }) => labels.cluster ?? '');
    const results = await inParallel(plans, AT_ONCE, (plan) =>
      judge(plan, byCluster.get(plan.id) ?? [], startedAtMs, database, options),
    );
    onProgress(`diagnosed in ${seconds()} s`);
    return results;
  } finally {
    await database.close();
  }
}

async function judge(
  plan: RunPlan,
  firings: readonly FiringAlert[],
  startedAtMs: number,
  { source }: OpenDatabase,
  { entries, pool }: BenchmarkOptions,
): Promise<RunResult> {
  const faultAtMs = startedAtMs + plan.faultAtMs;
  // What stood before anything went wrong is an incident of its own, and older.
  const lead = leadAlert(firings.filter(({ sinceMs }) => !hasFault(plan) || sinceMs >= faultAtMs));
  const alert =
    lead === null
      ? null
      : { name: lead.alertName, severity: lead.severity, afterMs: lead.firedAtMs - faultAtMs };
  const nothing = { plan, alert, diagnosis: null, blind: null, loop: null };
  if (lead === null && hasFault(plan)) return nothing;
  // Where nothing is wrong and nothing fires, somebody asks all the same.
  const asked = ALERTS[plan.seed % ALERTS.length];
  const question = {
    source,
    entries,
    alertName: lead?.alertName ?? asked?.name ?? '',
    severity: lead?.severity ?? asked?.severity ?? 'warning',
    atMs: askedAt(plan, startedAtMs, lead?.firedAtMs ?? faultAtMs + 10 * MINUTE),
  };
  const scopeOf = (cluster: string) => ({ ...PLACE, cluster });
  const diagnosis = await diagnoseRun({ ...question, scope: scopeOf(plan.id) });
  const blind = plan.hasBlindTwin
    ? await diagnoseRun({ ...question, scope: scopeOf(blindCluster(plan)) })
    : null;
  const loop = plan.inClosedLoop ? await playLoop(plan, diagnosis, question.atMs - startedAtMs, pool) : null;
  return { ...nothing, diagnosis, blind, loop };
}

/** What is over by itself is asked about once the windows of rates have passed over it. */
function askedAt({ endMs }: RunPlan, startedAtMs: number, firedAtMs: number): number {
  const overMs = endMs === null ? 0 : startedAtMs + endMs + RATE_WINDOW_MS + MINUTE;
  return Math.max(firedAtMs, overMs) + WEBHOOK_DELAY_MS;
}

async function inParallel<T, R>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const waiting = [...items.entries()];
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        results[next[0]] = await work(next[1]);
    }),
  );
  return results;
}

function stopwatch(): () => string {
  const began = performance.now();
  return () => ((performance.now() - began) / 1000).toFixed(1);
}
