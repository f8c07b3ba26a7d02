/** How a signal moved: for sparklines, and for "rising" and "falling". */

import { MINUTE } from '../domain/clock.js';
import { canonicalLabels } from '../domain/labels.js';
import type { RangeReading, SampleSeries } from '../domain/signal.js';
import { mean, median } from './statistics.js';

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

export type Point = readonly [number, number];

/**
 * One series for all workers: the mean at each moment, over those that have a value. A series without a
 * worker is such an aggregate already (of a scope, or of a recording) and is taken as it is.
 */
export function aggregateSeries(given: readonly SampleSeries[]): readonly Point[] {
  // Several checks look back at the same reading.
  const known = AGGREGATED.get(given);
  if (known !== undefined) return known;
  const points = aggregated(given);
  AGGREGATED.set(given, points);
  return points;
}

const AGGREGATED = new WeakMap<readonly SampleSeries[], readonly Point[]>();

function aggregated(given: readonly SampleSeries[]): readonly Point[] {
  // Sums of floats depend on their order, and a source promises none.
  const series = inOrder(given);
  const whole = series.filter((one) => one.worker === null);
  const sources = whole.length > 0 ? whole : series;
  const first = sources[0];
  if (first === undefined) return [];
  if (sources.length === 1) return first.points;
  const byTime = new Map<number, { sum: number; count: number }>();
  for (const one of sources) {
    for (const [at, value] of one.points) {
      if (!Number.isFinite(value)) continue;
      const moment = byTime.get(at);
      if (moment === undefined) byTime.set(at, { sum: value, count: 1 });
      else {
        moment.sum += value;
        moment.count += 1;
      }
    }
  }
  // Parts of one scope (split by a label) add up; workers are averaged.
  const isSum = whole.length > 0;
  return [...byTime]
    .sort((a, b) => a[0] - b[0])
    .map(([at, { sum, count }]) => [at, isSum ? sum : sum / count] as const);
}

function inOrder(series: readonly SampleSeries[]): readonly SampleSeries[] {
  if (series.length < 2) return series;
  const keyed = series.map((one) => [one.worker ?? canonicalLabels(one.labels), one] as const);
  if (keyed.every(([key], index) => index === 0 || (keyed[index - 1]?.[0] ?? '') <= key)) return series;
  return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, one]) => one);
}

/** The points of one series divided by those of another at the same moments. */
export function ratioSeries(top: readonly Point[], bottom: readonly Point[]): Point[] {
  const divisors = new Map(bottom);
  return top.flatMap(([at, value]): Point[] => {
    const divisor = divisors.get(at);
    return divisor === undefined || !(divisor > 0) ? [] : [[at, value / divisor]];
  });
}

export type Movement = {
  readonly change: number;
  /** Per minute of people's time, in the signal's unit. */
  readonly slope: number;
  readonly rising: boolean;
  readonly falling: boolean;
};

/** Compares the last third of the window with its first third. Null when there are too few points. */
export function movement(
  points: readonly Point[],
  about: {
    readonly atMs: number;
    readonly windowMs: number;
    readonly unit: string;
    readonly timeScale?: number;
  },
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
  // The middles of the first and the last third are two thirds of the window apart.
  const slope = move / (((about.windowMs * (about.timeScale ?? 1)) / MINUTE) * (2 / 3));
  if (!Number.isFinite(change) || !Number.isFinite(slope)) return null;
  return { change: change + 0, slope: slope + 0, rising: large && move > 0, falling: large && move < 0 };
}

/**
 * The oldest third of what is there lies before most alerts began: they wait five to ten minutes to fire. Of a young
 * fleet it is the first minutes, a poorer baseline than yesterday's would be, and a better one than none.
 */
const BEFORE_SHARE = 1 / 3;
const RECENT_MS = 3 * MINUTE;
/** One value is no baseline. */
const MIN_BEFORE_POINTS = 3;

export type History = {
  /** Median of the oldest third of what is there; null where that is too little. */
  readonly before: number | null;
  /** The median of the last three minutes over `before`; null where that was 0 or is unknown. */
  readonly times: number | null;
  /** The highest value of all. */
  readonly peak: number | null;
};

/** How a signal stands against where it came from: ratio to the time before the change. Points may come in any order. */
export function history(
  points: readonly Point[],
  about: { readonly atMs: number; readonly timeScale: number },
): History {
  const finite = points.filter(([at, value]) => Number.isFinite(value) && at <= about.atMs);
  const startsAt = finite.reduce((first, [at]) => Math.min(first, at), about.atMs);
  const endsAt = startsAt + (about.atMs - startsAt) * BEFORE_SHARE;
  const old = finite.filter(([at]) => at <= endsAt);
  const recent = finite.filter(([at]) => at >= about.atMs - RECENT_MS / about.timeScale);
  const values = (part: readonly Point[]) => part.map(([, value]) => value);
  const before = old.length < MIN_BEFORE_POINTS ? null : median(values(old));
  const now = median(values(recent));
  const times = before === null || now === null || !(before > 0) ? null : now / before;
  return {
    before,
    times: times !== null && Number.isFinite(times) ? times : null,
    peak: finite.length === 0 ? null : values(finite).reduce((a, b) => Math.max(a, b)),
  };
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
