/** Reads every catalog signal of a scope, so that the incident survives its source. Runs after the page has left. */

import { setMaxListeners } from 'node:events';
import { SIGNALS } from '../catalog/signals.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { RangeReading, SampleSeries, SignalReading } from '../domain/signal.js';
import { fillQuery } from '../playbook/lint-query.js';
import type { PlaybookEntry } from '../playbook/schema.js';
import { RECORDING_FORMAT_VERSION, type Recording } from './recording.js';
import { aggregateSeries, TREND } from './trend.js';
import { untilAborted } from './until-aborted.js';

export type FreezeOptions = {
  readonly scope: Scope;
  readonly source: MetricsSource;
  readonly atMs: number;
  readonly timeScale: number;
  /** Expressions to keep beside the signals: an operator's own steps. */
  readonly expressions?: readonly string[];
  /** What has not answered when it fires is recorded as not had. */
  readonly signal?: AbortSignal;
};

const WORST_WORKERS = 5;
/** Series of a scope signal that is split by a label. */
const MAX_SPLIT_SERIES = 20;

/** Of these the low values are the bad ones. */
const LOW_IS_WORSE: ReadonlySet<string> = new Set([
  'gpu_utilization',
  'kv_blocks_free',
  'generation_tokens_rate',
  'prompt_tokens_rate',
  'worker_up',
]);

/** Never throws or rejects: what the source did not give is recorded as that. */
export async function freezeSignals(options: FreezeOptions): Promise<Recording> {
  const { source, scope, atMs, timeScale } = options;
  const spanMs = TREND.spanMs / timeScale;
  // Two reads a signal listen to it; that is no leak.
  if (options.signal !== undefined) setMaxListeners(0, options.signal);
  const read = { atMs, ...(options.signal === undefined ? {} : { signal: options.signal }) };
  const wait = <T>(ask: () => Promise<T>) => untilAborted<T | Failed>(ask, options.signal, late, failed);

  const signals = SIGNALS.map(async ({ name }) => {
    const [instant, range] = await Promise.all([
      wait(() => source.readSignal(name, scope, read)),
      wait(() => source.readRange(name, scope, { ...read, spanMs, maxPoints: TREND.maxPoints })),
    ]);
    return [name, { instant, range: reduced(range, instant, name) }] as const;
  });
  const queries = [...new Set(options.expressions ?? [])].map(
    async (expression) => [expression, await wait(() => source.query(expression, read))] as const,
  );
  return {
    formatVersion: RECORDING_FORMAT_VERSION,
    atMs,
    timeScale,
    scope: { ...scope },
    recordedFrom: source.kind,
    spanMs,
    signals: Object.fromEntries(await Promise.all(signals)) as Recording['signals'],
    queries: Object.fromEntries(await Promise.all(queries)) as Recording['queries'],
  };
}

/** The expressions that an entry's own `query` steps ask in a scope, to be frozen with it. Those that lack a label are never asked. */
export function operatorQueries(entry: PlaybookEntry, scope: Scope): string[] {
  return entry.steps.flatMap((step) => {
    if (step.read.kind !== 'query') return [];
    const filled = fillQuery(step.read.query, scope);
    return 'query' in filled ? [filled.query] : [];
  });
}

type Failed = Extract<SignalReading, { kind: 'failed' }>;

function late(): Failed {
  return {
    kind: 'failed',
    reason: 'timeout',
    detail: 'not read before the recording was closed',
    engine: null,
    query: null,
  };
}

function failed(error: unknown): Failed {
  return {
    kind: 'failed',
    reason: 'unreachable',
    detail: `the metrics source failed: ${error instanceof Error ? error.message : String(error)}`,
    engine: null,
    query: null,
  };
}

/** One series of all workers, and the five worst by their present value. */
function reduced(range: RangeReading, instant: SignalReading, signal: string): RangeReading {
  if (range.kind !== 'series') return range;
  if (!range.series.some((one) => one.worker !== null))
    return { ...range, series: range.series.slice(0, MAX_SPLIT_SERIES) };
  const whole: SampleSeries = { worker: null, labels: {}, points: aggregateSeries(range.series) };
  const present = new Map(
    instant.kind === 'value' ? instant.samples.map((sample) => [sample.worker, sample.value]) : [],
  );
  const direction = LOW_IS_WORSE.has(signal) ? 1 : -1;
  const badness = (one: SampleSeries) => {
    const value = present.get(one.worker) ?? one.points.at(-1)?.[1] ?? Number.NaN;
    return Number.isNaN(value) ? Number.POSITIVE_INFINITY : direction * value;
  };
  const workers = range.series
    .filter((one) => one.worker !== null)
    .sort((a, b) => compare(badness(a), badness(b)) || compare(a.worker ?? '', b.worker ?? ''));
  return { ...range, series: [whole, ...workers.slice(0, WORST_WORKERS)] };
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
