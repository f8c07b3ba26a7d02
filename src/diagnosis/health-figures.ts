/** The five health figures of a scope, by the catalog's thresholds. No data is `unknown`, never healthy. */

import type { SignalReading } from '../domain/signal.js';
import type { HealthFigure } from '../domain/verdict.js';
import { formatAs } from './describe-step.js';
import { type Seen, seenOf, type Unseen, unitOf } from './seen.js';

/** Signals that the figures are made of. */
export const HEALTH_SIGNALS = [
  'gpu_utilization',
  'gpu_memory_ratio',
  'kv_cache_utilization',
  'ttft_p99_seconds',
  'error_ratio',
  'queue_depth',
] as const;

type HealthSignal = (typeof HEALTH_SIGNALS)[number];
type Status = HealthFigure['status'];
type Thresholds = Readonly<Record<string, number>>;

/** `readings` holds what was read of each signal; a missing one counts as unseen. Pure. */
export function healthFigures(
  readings: ReadonlyMap<string, SignalReading>,
  thresholds: Thresholds,
): HealthFigure[] {
  const seen = (signal: HealthSignal) => seenSignal(readings, signal);
  return [
    gpuFigure(seen('gpu_utilization'), seen('gpu_memory_ratio'), thresholds),
    limitFigure(
      'kv_cache',
      seen('kv_cache_utilization'),
      'kv_cache_utilization',
      thresholds,
      'of KV cache on the worst worker',
    ),
    limitFigure(
      'latency',
      seen('ttft_p99_seconds'),
      'ttft_p99_seconds',
      thresholds,
      'to the first token, p99',
    ),
    limitFigure('errors', seen('error_ratio'), 'error_ratio', thresholds, 'of requests fail'),
    limitFigure('queue', seen('queue_depth'), 'queue_depth', thresholds, 'wait on the worst worker'),
  ];
}

/** What one reading amounts to; a signal that was not read at all is unseen. */
export function seenSignal(readings: ReadonlyMap<string, SignalReading>, signal: string): Seen | Unseen {
  const reading = readings.get(signal);
  if (reading === undefined) {
    return { kind: 'unseen', reason: 'not_in_time', detail: 'not read in time', engine: null, query: null };
  }
  return seenOf(reading, { unit: unitOf(signal), splitBy: null });
}

function limitFigure(
  name: string,
  seen: Seen | Unseen,
  signal: HealthSignal,
  thresholds: Thresholds,
  words: string,
): HealthFigure {
  if (seen.kind === 'unseen') return unknownFigure(name, seen.detail);
  const worst = Math.max(...finite(seen));
  const value = formatAs(worst, unitOf(signal));
  const critical = thresholds[`${signal}.critical`];
  const warning = thresholds[`${signal}.warning`];
  const status: Status =
    critical !== undefined && worst > critical
      ? 'critical'
      : warning !== undefined && worst > warning
        ? 'warning'
        : 'healthy';
  return { name, status, value, detail: `${value} ${words}` };
}

/** Utilization is never critical by itself; memory is. One of the two is enough to judge, and the other is said. */
function gpuFigure(utilization: Seen | Unseen, memory: Seen | Unseen, thresholds: Thresholds): HealthFigure {
  if (utilization.kind === 'unseen' && memory.kind === 'unseen')
    return unknownFigure('gpu', utilization.detail);
  const parts: { readonly status: Status; readonly says: string }[] = [];
  if (utilization.kind === 'seen') {
    const values = finite(utilization);
    const high = Math.max(...values);
    const low = Math.min(...values);
    const idle = low < (thresholds['gpu_utilization.idle'] ?? 0);
    const saturated = high > (thresholds['gpu_utilization.saturated'] ?? 1);
    const text = idle
      ? `${formatAs(low, 'ratio')} on the least used GPU, idle?`
      : `${formatAs(high, 'ratio')} used at most`;
    parts.push({ status: idle || saturated ? 'warning' : 'healthy', says: text });
  }
  if (memory.kind === 'seen') {
    const worst = Math.max(...finite(memory));
    const status: Status =
      worst > (thresholds['gpu_memory_ratio.critical'] ?? 1)
        ? 'critical'
        : worst > (thresholds['gpu_memory_ratio.warning'] ?? 1)
          ? 'warning'
          : 'healthy';
    parts.push({ status, says: `${formatAs(worst, 'ratio')} of memory` });
  }
  const missing = [
    ...(utilization.kind === 'unseen' ? [`utilization not seen: ${utilization.detail}`] : []),
    ...(memory.kind === 'unseen' ? [`memory not seen: ${memory.detail}`] : []),
  ];
  const order: readonly Status[] = ['healthy', 'warning', 'critical'];
  const known = parts.reduce<Status>(
    (worst, part) => (order.indexOf(part.status) > order.indexOf(worst) ? part.status : worst),
    'healthy',
  );
  // Half of a figure may say that something is wrong, never that all is well.
  const status = missing.length > 0 && known === 'healthy' ? 'unknown' : known;
  return {
    name: 'gpu',
    status,
    value: parts[0]?.says.split(' ')[0] ?? null,
    detail: [...parts.map((part) => part.says), ...missing].join(', '),
  };
}

function unknownFigure(name: string, detail: string): HealthFigure {
  return { name, status: 'unknown', value: null, detail };
}

function finite(seen: Seen): number[] {
  return seen.samples.map((sample) => sample.value).filter((value) => !Number.isNaN(value));
}
