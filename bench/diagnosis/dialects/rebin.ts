import type { HistogramSnapshot } from '../../../src/simulator/histogram.js';

/**
 * Cumulative counts at other edges than those that were counted at. Between two known edges the observations are taken
 * to lie evenly on a logarithmic scale, as latencies and lengths roughly do; beyond the last known edge they stay in
 * +Inf. Equal edges give the counts unchanged, and what grows stays growing.
 */
export function cumulativeAt({ bounds, counts }: HistogramSnapshot, edges: readonly number[]): number[] {
  const known: [number, number][] = [];
  let cumulative = 0;
  for (const [index, bound] of bounds.entries()) {
    cumulative += counts[index] ?? 0;
    known.push([bound, cumulative]);
  }
  return edges.map((edge) => at(known, edge));
}

function at(known: readonly (readonly [number, number])[], edge: number): number {
  let lower: readonly [number, number] = [0, 0];
  for (const upper of known) {
    if (edge === upper[0]) return upper[1];
    if (edge < upper[0]) return lower[1] + (upper[1] - lower[1]) * between(lower[0], upper[0], edge);
    lower = upper;
  }
  return lower[1];
}

function between(low: number, high: number, edge: number): number {
  if (edge <= low) return 0;
  return low > 0 ? Math.log(edge / low) / Math.log(high / low) : edge / high;
}
