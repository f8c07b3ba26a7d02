/** What is fetched for every alert before its steps mean anything: its own value, the scope's health, who is affected. */

import { ALERTS } from '../catalog/alerts.js';
import { threshold } from '../catalog/thresholds.js';
import { DAY, HOUR } from '../domain/clock.js';
import type { MetricsSource, ReadOptions } from '../domain/metrics-source.js';
import type { Scope } from '../domain/scope.js';
import type { RangeReading, SignalReading } from '../domain/signal.js';
import type { Enrichment } from '../domain/verdict.js';
import { HEALTH_SIGNALS, healthFigures, seenSignal } from './health-figures.js';
import type { Seen, Unseen } from './seen.js';
import { stripComparison } from './strip-comparison.js';
import { untilAborted } from './until-aborted.js';

export type EnrichOptions = {
  /** The alert's own PromQL, or null where its link carried none. */
  readonly alertExpression: string | null;
  readonly alertName: string;
  readonly scope: Scope;
  readonly source: MetricsSource;
  readonly thresholds: Readonly<Record<string, number>>;
  readonly atMs: number;
  readonly timeScale: number;
  /** What has not answered when it fires is reported as not seen. A dozen reads listen to it: its maker sets no limit of listeners. */
  readonly signal?: AbortSignal;
};

const MAX_WORKERS_NAMED = 50;
/** Enough for every change of the replica count to show: one point a minute. */
const REPLICA_POINTS = 61;

/** Never throws or rejects. Figures that could not be had are null, each with a sentence in `unseen`. */
export async function enrich(options: EnrichOptions): Promise<Enrichment> {
  const { source, scope, atMs, timeScale } = options;
  const unseen: string[] = [];
  const at = (agoMs: number): ReadOptions => ({
    atMs: atMs - agoMs / timeScale,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const wait = <T>(ask: () => Promise<T>) =>
    untilAborted<T | FailedReading>(ask, options.signal, late, failed);

  const signals = [...HEALTH_SIGNALS, 'worker_restarts', 'worker_up'];
  const present = Promise.all(
    signals.map(async (name) => [name, await wait(() => source.readSignal(name, scope, at(0)))] as const),
  );
  const replicas = wait(() =>
    source.readRange('replicas_available', scope, {
      ...at(0),
      spanMs: HOUR / timeScale,
      maxPoints: REPLICA_POINTS,
    }),
  );
  const values = Promise.all([0, HOUR, DAY].map((agoMs) => alertValue(options, at(agoMs), wait)));

  const readings = new Map<string, SignalReading>(await present);
  const [now, hourAgo, dayAgo] = await values;
  for (const [when, value] of [
    ['now', now],
    ['an hour ago', hourAgo],
    ['yesterday', dayAgo],
  ] as const) {
    if (typeof value === 'string') unseen.push(`The alert's value ${when}: ${value}`);
  }
  const restarts = seenSignal(readings, 'worker_restarts');
  if (restarts.kind === 'unseen') unseen.push(`Restarts in the last hour: ${restarts.detail}`);
  const changes = replicaChanges(await replicas);
  if (typeof changes === 'string') unseen.push(`Replica changes in the last hour: ${changes}`);
  const workers = workersOf(readings, options.thresholds);
  return {
    expression: options.alertExpression,
    valueNow: numberOr(now),
    valueHourAgo: numberOr(hourAgo),
    valueDayAgo: numberOr(dayAgo),
    health: healthFigures(readings, options.thresholds),
    workersAffected: workers.affected.slice(0, MAX_WORKERS_NAMED),
    workersTotal: workers.total,
    restartsLastHour: restarts.kind === 'seen' ? Math.round(total(restarts)) : null,
    replicaChangesLastHour: typeof changes === 'number' ? changes : null,
    unseen,
  };
}

type FailedReading = Extract<SignalReading, { kind: 'failed' }>;
type Wait = <T>(ask: () => Promise<T>) => Promise<T | FailedReading>;

function late(): FailedReading {
  return {
    kind: 'failed',
    reason: 'timeout',
    detail: 'no answer before the deadline of the diagnosis',
    engine: null,
    query: null,
  };
}

function failed(error: unknown): FailedReading {
  return {
    kind: 'failed',
    reason: 'unreachable',
    detail: `the metrics source failed: ${error instanceof Error ? error.message : String(error)}`,
    engine: null,
    query: null,
  };
}

/** The number, or why there is none. An alert of ours is read by its signal where PromQL cannot be asked. */
async function alertValue(options: EnrichOptions, at: ReadOptions, wait: Wait): Promise<number | string> {
  const { alertExpression, source, scope } = options;
  const known = ALERTS.find((alert) => alert.name === options.alertName);
  let reason = 'the alert brought no expression';
  if (alertExpression !== null) {
    const { expression, worst } = stripComparison(alertExpression);
    const reading = await wait(() => source.query(expression, at));
    const value = quotedValue(reading, worst, false);
    if (typeof value === 'number') return value;
    reason = value;
  }
  if (known === undefined || (alertExpression !== null && source.kind === 'prometheus')) return reason;
  const { condition } = known;
  const reading = await wait(() =>
    source.readSignal(condition.signal, scope, { ...at, windowMs: known.windowMs / options.timeScale }),
  );
  if (condition.aggregate === 'workers' && reading.kind === 'value') {
    const limit = threshold(options.thresholds, condition.threshold);
    return reading.samples.filter(({ value }) => (condition.over === '>' ? value > limit : value < limit))
      .length;
  }
  return quotedValue(reading, condition.over === '>' ? 'max' : 'min', condition.aggregate === 'sum');
}

function quotedValue(reading: SignalReading, worst: 'max' | 'min', isSum: boolean): number | string {
  if (reading.kind !== 'value') return reading.detail;
  const values = reading.samples.map((sample) => sample.value).filter(Number.isFinite);
  if (values.length === 0) return 'the answer is not a number';
  if (isSum) return values.reduce((a, b) => a + b, 0);
  return worst === 'max' ? Math.max(...values) : Math.min(...values);
}

/** How often the number of replicas changed, or why that is not known. */
function replicaChanges(reading: RangeReading | FailedReading): number | string {
  if (reading.kind !== 'series') return reading.detail;
  const series = reading.series[0];
  const values = (series?.points ?? []).map(([, value]) => value).filter(Number.isFinite);
  if (values.length < 2) return 'too few values';
  return values.slice(1).filter((value, index) => value !== values[index]).length;
}

/** Workers past a warning threshold of KV, queue or memory, or down; and how many there are. */
function workersOf(
  readings: ReadonlyMap<string, SignalReading>,
  thresholds: Readonly<Record<string, number>>,
): { readonly affected: string[]; readonly total: number | null } {
  const all = new Set<string>();
  const affected = new Set<string>();
  const collect = (seen: Seen | Unseen, isAffected: (value: number) => boolean) => {
    if (seen.kind === 'unseen') return;
    for (const { worker, value } of seen.samples) {
      if (worker === null) continue;
      all.add(worker);
      if (isAffected(value)) affected.add(worker);
    }
  };
  const above = (name: string) => (value: number) => value > (thresholds[name] ?? Number.POSITIVE_INFINITY);
  collect(seenSignal(readings, 'kv_cache_utilization'), above('kv_cache_utilization.full'));
  collect(seenSignal(readings, 'queue_depth'), above('queue_depth.warning'));
  collect(seenSignal(readings, 'gpu_memory_ratio'), above('gpu_memory_ratio.critical'));
  collect(seenSignal(readings, 'worker_restarts'), (value) => value > 0);
  collect(seenSignal(readings, 'worker_up'), (value) => value < 1);
  return { affected: [...affected].sort(), total: all.size === 0 ? null : all.size };
}

function total(seen: Seen): number {
  return seen.samples
    .map((sample) => sample.value)
    .filter((value) => !Number.isNaN(value))
    .reduce((a, b) => a + b, 0);
}

function numberOr(value: number | string | undefined): number | null {
  return typeof value === 'number' ? value : null;
}
