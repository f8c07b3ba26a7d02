/** Reads every catalog signal of a scope, so that the incident survives its source. Runs after the page has left. */

import { setMaxListeners } from 'node:events';
import { SIGNALS } from '../catalog/signals.js';
import type { MetricsSource } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { RangeReading, SampleSeries, SignalReading } from '../domain/signal.js';
import type { Finding } from '../domain/verdict.js';
import { fillQuery } from '../playbook/lint-query.js';
import type { PlaybookEntry } from '../playbook/schema.js';
import { type Diagnosed, type Further, RECORDING_FORMAT_VERSION, type Recording } from './recording.js';
import { sourceFailed } from './source-failed.js';
import { aggregateSeries, TREND } from './trend.js';
import { untilAborted } from './until-aborted.js';
import type { Testimony } from './witness.js';

export type FreezeOptions = {
  readonly scope: Scope;
  readonly source: MetricsSource;
  readonly atMs: number;
  readonly timeScale: number;
  /** Expressions to keep beside the signals: an operator's own steps. */
  readonly expressions?: readonly string[];
  /** What has not answered when it fires is recorded as not had. */
  readonly signal?: AbortSignal;
  /** What the diagnosis asked at `atMs` and before, and was told: that is taken as it was, and only the rest is asked. */
  readonly testimony?: readonly Testimony[];
  /** The diagnosis itself, to be kept with its evidence. */
  readonly diagnosed?: Diagnosed;
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
  const wait = <T>(ask: () => Promise<T>) =>
    untilAborted<T | Failed>(ask, options.signal, late, sourceFailed);
  const testimony = options.testimony ?? [];
  const present = (kind: Testimony['kind'], name: string) =>
    testimony.find((one) => one.kind === kind && one.name === name && isFrozenMoment(one, atMs, spanMs));
  const leading = leadingWorkers(options.diagnosed?.findings as readonly Finding[] | undefined);

  const signals = SIGNALS.map(async ({ name }) => {
    const [told, toldRange] = [present('signal', name), present('range', name)];
    const [instant, range] = await Promise.all([
      told === undefined
        ? wait(() => source.readSignal(name, scope, read))
        : ((told.answer ?? NOT_IN_TIME) as Recording['signals'][string]['instant']),
      toldRange === undefined
        ? wait(() => source.readRange(name, scope, { ...read, spanMs, maxPoints: TREND.maxPoints }))
        : ((toldRange.answer ?? NOT_IN_TIME) as RangeReading | typeof NOT_IN_TIME),
    ]);
    return [name, { instant, range: reduced(range, instant, name, leading.get(name) ?? []) }] as const;
  });
  const asked = testimony.filter((one) => one.kind === 'query' && isFrozenMoment(one, atMs, spanMs));
  const queries = [...new Set([...(options.expressions ?? []), ...asked.map(({ name }) => name)])].map(
    async (expression) => {
      const told = present('query', expression);
      const answer =
        told === undefined ? await wait(() => source.query(expression, read)) : (told.answer ?? NOT_IN_TIME);
      return [expression, answer] as const;
    },
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
    further: testimony.filter((one) => !isFrozenMoment(one, atMs, spanMs)).map((one) => further(one, atMs)),
    diagnosed: options.diagnosed ?? null,
  };
}

/** Whether a question is one of those that are frozen for every signal. */
function isFrozenMoment(one: Testimony, atMs: number, spanMs: number): boolean {
  if (one.atMs !== atMs || one.windowMs !== null) return false;
  return one.kind !== 'range' || one.spanMs === spanMs;
}

function further(one: Testimony, atMs: number): Further {
  const { name, windowMs } = one;
  const about = { name, agoMs: atMs - one.atMs, windowMs };
  if (one.kind !== 'range') {
    return { ...about, kind: one.kind, answer: (one.answer ?? NOT_IN_TIME) as Recording['queries'][string] };
  }
  const range = reduced(one.answer ?? NOT_IN_TIME, NOT_IN_TIME, name, []);
  return {
    ...about,
    kind: 'range',
    spanMs: one.spanMs,
    answer: range as Recording['signals'][string]['range'],
  };
}

/** The workers whose sparkline a finding shows, by signal: they stay whether or not they are among the worst. */
function leadingWorkers(findings: readonly Finding[] = []): ReadonlyMap<string, readonly string[]> {
  const leading = new Map<string, string[]>();
  for (const { signal, workers } of findings) {
    const worker = workers?.[0]?.worker;
    if (signal === null || worker === undefined) continue;
    leading.set(signal, [...(leading.get(signal) ?? []), worker]);
  }
  return leading;
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

/** A replay's source never answers what the diagnosis waited for in vain. */
const NOT_IN_TIME = { kind: 'late', detail: 'not answered in time', engine: null, query: null } as const;

/** One series of all workers, and the five worst by their present value. */
function reduced<Unanswered extends { readonly kind: 'late' }>(
  range: RangeReading | Unanswered,
  instant: SignalReading | Unanswered | { readonly kind: 'late' },
  signal: string,
  alsoKept: readonly string[],
): RangeReading | Unanswered {
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
  const kept = workers.filter(
    ({ worker }, index) => index < WORST_WORKERS || (worker !== null && alsoKept.includes(worker)),
  );
  return { ...range, series: [whole, ...kept] };
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
