/** One scope's five checks, with what is wrong worker by worker. */

import { formatValue } from '../catalog/format-value.js';
import { findSignal } from '../catalog/signals.js';
import { healthFigures, seenSignal } from '../diagnosis/health-figures.js';
import type { Scope } from '../domain/scope.js';
import { type HealthCheck, type ServingReport, worstStatus } from '../domain/serving-health.js';
import type { SignalReading } from '../domain/signal.js';

type Thresholds = Readonly<Record<string, number>>;

/** Longest list of workers in a check; the rest is counted. */
const MAX_ISSUES = 10;

/** Pure. `readings` holds what was read of each of `HEALTH_SIGNALS`. */
export function servingReport(
  scope: Scope,
  readings: ReadonlyMap<string, SignalReading>,
  thresholds: Thresholds,
  atMs: number,
): ServingReport {
  const checks = healthFigures(readings, thresholds).map((figure): HealthCheck => {
    const name = figure.name as HealthCheck['name'];
    return { ...figure, name, issues: issuesOf(name, readings, thresholds) };
  });
  return { scope, atMs, overall: worstStatus(checks.map(({ status }) => status)), checks };
}

/** The signals of a check that have a value a worker, and when a value of each is worth a line. */
const WORKER_LIMITS: Readonly<
  Partial<Record<HealthCheck['name'], readonly { signal: string; above?: string; below?: string }[]>>
> = {
  gpu: [
    { signal: 'gpu_utilization', above: 'gpu_utilization.saturated', below: 'gpu_utilization.idle' },
    { signal: 'gpu_memory_ratio', above: 'gpu_memory_ratio.warning' },
  ],
  kv_cache: [{ signal: 'kv_cache_utilization', above: 'kv_cache_utilization.warning' }],
  queue: [{ signal: 'queue_depth', above: 'queue_depth.warning' }],
};

function issuesOf(
  name: HealthCheck['name'],
  readings: ReadonlyMap<string, SignalReading>,
  thresholds: Thresholds,
): string[] {
  const found = (WORKER_LIMITS[name] ?? []).flatMap(({ signal, above, below }) => {
    const seen = seenSignal(readings, signal);
    if (seen.kind === 'unseen') return [];
    const definition = findSignal(signal);
    if (definition === undefined) return [];
    const high =
      above === undefined ? Number.POSITIVE_INFINITY : (thresholds[above] ?? Number.POSITIVE_INFINITY);
    const low =
      below === undefined ? Number.NEGATIVE_INFINITY : (thresholds[below] ?? Number.NEGATIVE_INFINITY);
    return seen.samples
      .filter(({ value }) => value > high || value < low)
      .map(({ worker, value }) => {
        const limit = formatValue(value > high ? high : low, definition.unit);
        const side = value > high ? 'above' : 'below';
        const over = value > high ? value - high : low - value;
        const says = `${worker ?? 'a worker'}, ${definition.description}: ${formatValue(value, definition.unit)}, ${side} ${limit}`;
        return { over, says };
      })
      .sort((a, b) => b.over - a.over)
      .map(({ says }) => says);
  });
  if (found.length <= MAX_ISSUES) return found;
  return [...found.slice(0, MAX_ISSUES), `and ${found.length - MAX_ISSUES} more`];
}
