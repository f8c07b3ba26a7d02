/** What fires and resolves in turn, in one line with a little bar, and what the owner of its rule could do about it. */

import { MINUTE } from '../domain/clock.js';
import { type Cycle, MAX_CYCLES } from '../domain/cycles.js';
import { minutesBetween } from './duration.js';

export type FlappingWords = {
  /** "FLAPPING 5 times in 22m ▇▁▇▁▇▁▇". */
  readonly line: string;
  /** "its rule could keep_firing_for: 8m (it was quiet for 6m at most), or wait with a longer for:". */
  readonly advice: string;
};

/** Firing periods drawn. */
const SHOWN = 4;

/** Null while nothing is recorded. */
export function flappingInWords(cycles: readonly Cycle[]): FlappingWords | null {
  const first = cycles[0];
  const last = cycles.at(-1);
  if (first === undefined || last === undefined) return null;
  const times = cycles.length >= MAX_CYCLES ? `${MAX_CYCLES} times and more` : `${cycles.length} times`;
  const span = minutesBetween(first.firedAtMs, last.resolvedAtMs ?? last.firedAtMs);
  const bar = cycles
    .slice(-SHOWN)
    .map(({ resolvedAtMs }) => (resolvedAtMs === null ? '▇' : '▇▁'))
    .join('');
  return { line: `FLAPPING ${times} in ${span} ${bar}`, advice: adviceOn(cycles) };
}

function adviceOn(cycles: readonly Cycle[]): string {
  let longestMs = 0;
  for (const [index, { firedAtMs }] of cycles.entries()) {
    const before = cycles[index - 1]?.resolvedAtMs ?? null;
    if (before !== null) longestMs = Math.max(longestMs, firedAtMs - before);
  }
  // A little more than the longest gap bridges it.
  const minutes = Math.ceil((longestMs * 1.25) / MINUTE) + 1;
  return (
    `its rule could keep_firing_for: ${minutes}m (it was quiet for ${minutesBetween(0, longestMs)} at most), ` +
    'or wait with a longer for:'
  );
}
