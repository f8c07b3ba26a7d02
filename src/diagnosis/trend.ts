/** How a signal moved: for sparklines, and for "rising" and "falling". */

import { MINUTE } from '../domain/clock.js';
import type { RangeReading, SampleSeries } from '../domain/signal.js';
import { mean } from './statistics.js';

/** What is read for every step and frozen for every signal: the same question, so that a replay sees the same trend. */
export const TREND = { spanMs: 30 * MINUTE, maxPoints: 31 } as const;

/** "Rising" without a window of its own looks back this far. */
export const DEFAULT_WINDOW_MS = 10 * MINUTE;

/** Values kept for a sparkline. */
const SPARKLINE_VALUES = 20;

/** Fewer points say nothing about a direction. */
const MIN_POINTS = 4;

/** A move must be a fifth of where it came from, and not smaller than this: 1 → 2 requests is no trend. */
const MIN_RELATIVE = 0.2;
const MIN_MOVE: Readonly<Record<string, number>> = { requests: 5, ratio: 0.05, seconds: 0.01 };
/** Memory is a large number that matters in small parts. */
const MIN_RELATIVE_BYTES = 0.02;

type Point = readonly [number, number];

/**
 * One series for all workers: the mean at each moment, over those that have a value. A series without a
 * worker is such an aggregate already (of a scope, or of a recording) and is taken as it is.
 */
export function aggregateSeries(series: readonly SampleSeries[]): readonly Point[] {
  const whole = series.filter((one) => one.worker === null);
  const sources = whole.length > 0 ? whole : series;
  const first = sources[0];
  if (first === undefined) return [];
  if (sources.length === 1) return first.points;
  const byTime = new Map<number, number[]>();
  for (const one of sources) {
    for (const [at, value] of one.points) {
      if (!Number.isFinite(value)) continue;
      const values = byTime.get(at);
      if (values === undefined) byTime.set(at, [value]);
      else values.push(value);
    }
  }
  // Parts of one scope (split by a label) add up; workers are averaged.
  const combine =
    whole.length > 0
      ? (values: number[]) => values.reduce((a, b) => a + b, 0)
      : (values: number[]) => mean(values) ?? Number.NaN;
  return [...byTime].sort((a, b) => a[0] - b[0]).map(([at, values]) => [at, combine(values)] as const);
}

export type Movement = { readonly change: number; readonly rising: boolean; readonly falling: boolean };

/** Compares the last third of the window with its first third. Null when there are too few points. */
export function movement(
  points: readonly Point[],
  about: { readonly atMs: number; readonly windowMs: number; readonly unit: string },
): Movement | null {
  const values = points
    .filter(([at, value]) => at >= about.atMs - about.windowMs && at <= about.atMs && Number.isFinite(value))
    .map(([, value]) => value);
  if (values.length < MIN_POINTS) return null;
  const third = Math.max(1, Math.floor(values.length / 3));
  const before = mean(values.slice(0, third)) ?? 0;
  const after = mean(values.slice(-third)) ?? 0;
  const move = after - before;
  const relative = about.unit === 'bytes' ? MIN_RELATIVE_BYTES : MIN_RELATIVE;
  const large =
    Math.abs(move) >= Math.max(Math.abs(before) * relative, MIN_MOVE[about.unit] ?? 0) && move !== 0;
  const change = before === 0 ? (move === 0 ? 0 : Math.sign(move)) : move / Math.abs(before);
  if (!Number.isFinite(change)) return null;
  return { change: change + 0, rising: large && move > 0, falling: large && move < 0 };
}

/** At most 20 values of the given worker, else of all, oldest first; gaps are left out. */
export function sparkline(range: RangeReading | null, worker: string | null): readonly number[] {
  if (range?.kind !== 'series') return [];
  const own = worker === null ? undefined : range.series.find((one) => one.worker === worker);
  const values = (own?.points ?? aggregateSeries(range.series))
    .map(([, value]) => value + 0)
    .filter(Number.isFinite);
  if (values.length <= SPARKLINE_VALUES) return values;
  const step = (values.length - 1) / (SPARKLINE_VALUES - 1);
  return Array.from({ length: SPARKLINE_VALUES }, (_, index) => values[Math.round(index * step)] ?? 0);
}
