/** What part of a split signal its present largest part had before: large is not new. */

import type { SampleSeries } from '../domain/signal.js';
import { labelOf, type Seen, scopeValues } from './seen.js';
import { history } from './trend.js';

/**
 * Ratio 0–1, of the label value that has most now, in the oldest third of what was read; 0 when it was not there. Null
 * where nothing is known of before.
 */
export function shareBefore(
  seen: Seen,
  splitBy: string,
  series: readonly SampleSeries[],
  about: { readonly atMs: number; readonly timeScale: number },
): number | null {
  const top = [...scopeValues(seen).byLabel].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0];
  if (top === undefined) return null;
  const before = new Map<string, number>();
  for (const one of [...series].sort((a, b) =>
    compare(labelOf(a.labels, splitBy), labelOf(b.labels, splitBy)),
  )) {
    const past = history(one.points, about);
    if (past.before === null) continue;
    const name = labelOf(one.labels, splitBy);
    before.set(name, (before.get(name) ?? 0) + past.before);
  }
  const total = [...before.values()].reduce((sum, value) => sum + value, 0);
  return total > 0 ? (before.get(top) ?? 0) / total : null;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
