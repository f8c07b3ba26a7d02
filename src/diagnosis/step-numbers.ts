/** The numbers of a step by name, for conditions and texts to use. */

import { type Seen, scopeValues, type Unseen, valuesByWorker } from './seen.js';
import { median, summary } from './statistics.js';

/** Numbers over the workers that were seen. */
export function workerNumbers(
  values: readonly number[],
  kind: string,
  lowIsWorse: boolean,
): Record<string, number> {
  const numbers = summary(values);
  // The number a reader would quote: the worst worker's, or the typical one's where most workers are asked about.
  const quoted = kind === 'most_workers' ? median(values) : lowIsWorse ? numbers.min : numbers.max;
  // The mean of all but the worst: what one worker is compared with where there are only two.
  const others =
    values.length > 1 && numbers.sum !== undefined && numbers.max !== undefined
      ? { others: (numbers.sum - numbers.max) / (values.length - 1) + 0 }
      : {};
  return quoted === undefined || quoted === null ? numbers : { ...numbers, ...others, value: quoted };
}

/** Numbers of a figure of the whole scope, with the shares of the label that it is split by. */
export function scopeNumbers(seen: Seen): Record<string, number> {
  const { values, byLabel } = scopeValues(seen);
  const numbers = summary(values);
  if (seen.splitBy === null) return { ...numbers, value: numbers.max ?? 0 };
  const total = numbers.sum ?? 0;
  const shares = [...byLabel].map(
    ([name, value]) => [`share.${name}`, total > 0 ? value / total : 0] as const,
  );
  return {
    ...numbers,
    value: total,
    share_seen: 1,
    top_share: shares.reduce((top, [, share]) => Math.max(top, share), 0),
    parts: shares.filter(([, share]) => share > 0).length,
    ...Object.fromEntries(shares),
  };
}

/** Numbers of the readings beside the step's own, each after its name. */
export function extraNumbers(extras: ReadonlyMap<string, Seen | Unseen>): Record<string, number> {
  const numbers: Record<string, number> = {};
  for (const [name, extra] of extras) {
    if (extra.kind === 'unseen') continue;
    const values = extra.perWorker
      ? [...valuesByWorker(extra, false).values()].filter((value) => !Number.isNaN(value))
      : scopeValues(extra).values;
    const own = summary(values);
    for (const [key, value] of Object.entries(own)) numbers[`${name}.${key}`] = value;
    const quoted = extra.perWorker ? own.mean : extra.splitBy === null ? own.max : own.sum;
    if (quoted !== undefined) numbers[name] = quoted;
  }
  return numbers;
}
