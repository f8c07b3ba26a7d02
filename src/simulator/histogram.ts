/** Histograms as Prometheus clients keep them, and the quantile that Prometheus computes from them. */

export type HistogramSnapshot = {
  /** Upper edges, ascending, without +Inf. */
  readonly bounds: readonly number[];
  /** Observations per bucket, not cumulative; one more entry than `bounds`, the last for +Inf. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
};

export type Histogram = {
  /** Records `value` `times` times (once when absent). */
  readonly observe: (value: number, times?: number) => void;
  readonly snapshot: () => HistogramSnapshot;
  /** What a restart of the process does. */
  readonly reset: () => void;
};

export function createHistogram(bounds: readonly number[]): Histogram {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let sum = 0;
  let count = 0;
  return {
    observe(value, times = 1) {
      let index = 0;
      while (index < bounds.length && value > (bounds[index] as number)) index += 1;
      counts[index] = (counts[index] as number) + times;
      sum += value * times;
      count += times;
    },
    snapshot: () => ({ bounds, counts: [...counts], sum, count }),
    reset() {
      counts.fill(0);
      sum = 0;
      count = 0;
    },
  };
}

/** Adds histograms of equal bounds. Null for none. */
export function mergeHistograms(parts: readonly HistogramSnapshot[]): HistogramSnapshot | null {
  const first = parts[0];
  if (first === undefined) return null;
  const counts = new Array<number>(first.counts.length).fill(0);
  let sum = 0;
  let count = 0;
  for (const part of parts) {
    for (let i = 0; i < counts.length; i += 1) counts[i] = (counts[i] ?? 0) + (part.counts[i] ?? 0);
    sum += part.sum;
    count += part.count;
  }
  return { bounds: first.bounds, counts, sum, count };
}

/** What was observed between two snapshots. A reset in between counts from zero, as `rate()` does. */
export function histogramIncrease(
  before: HistogramSnapshot | null,
  after: HistogramSnapshot,
): HistogramSnapshot {
  if (before === null || after.count < before.count) return after;
  return {
    bounds: after.bounds,
    counts: after.counts.map((value, i) => Math.max(0, value - (before.counts[i] ?? 0))),
    sum: after.sum - before.sum,
    count: after.count - before.count,
  };
}

/**
 * `histogram_quantile`: linear within a bucket, the first starting at 0, and the last finite edge for what lies
 * beyond it (promql/quantile.go). NaN when nothing was observed.
 */
export function histogramQuantile(q: number, histogram: HistogramSnapshot): number {
  const total = histogram.counts.reduce((a, b) => a + b, 0);
  if (total === 0) return Number.NaN;
  const rank = q * total;
  let below = 0;
  for (let i = 0; i < histogram.bounds.length; i += 1) {
    const inBucket = histogram.counts[i] ?? 0;
    const upper = histogram.bounds[i] ?? 0;
    if (below + inBucket >= rank && inBucket > 0) {
      const lower = i === 0 ? 0 : (histogram.bounds[i - 1] ?? 0);
      return lower + (upper - lower) * ((rank - below) / inBucket);
    }
    below += inBucket;
  }
  return histogram.bounds.at(-1) ?? Number.NaN;
}
