/** How long to wait after a failed attempt. */

import { SECOND } from '../domain/clock.js';

/** Before attempt 1, 2, 3 … of one notification; the last repeats for ever. */
const STEPS_MS = [0, 1, 2, 4, 8, 15, 30, 60].map((seconds) => seconds * SECOND);

/** Below this a dead provider would be asked in a tight loop whenever the dice fall low. */
const LEAST_MS = 100;

/**
 * Full jitter (a uniform share of the step) so that what failed together does not come back together.
 * `attempts` is how many were made, ≥ 1; `random` yields 0 ≤ x < 1; a provider's own wish is a lower bound.
 */
export function backoffMs(attempts: number, random: () => number, wishedMs = 0): number {
  const step = STEPS_MS[Math.min(Math.max(1, attempts), STEPS_MS.length - 1)] ?? 0;
  return Math.max(LEAST_MS, Math.round(step * random()), wishedMs);
}
