/** How much of an account's budget is left. Calls are counted in the database, so a restart does not burst beyond it. */

import type { Budget } from '../receivers/receiver.js';

export type Allowance = {
  /** Messages that may go now, first tries of pages included. */
  readonly total: number;
  /** How many of them may be anything else. */
  readonly others: number;
  /** When there will be more, ms since 1970; null while there is enough. */
  readonly moreAtMs: number | null;
};

/** `calls` are the times of the calls made in the last `perMs`, newest first. Pure. */
export function allowanceOf(budget: Budget, calls: readonly number[]): Allowance {
  const { max, perMs, reserved } = budget;
  const others = Math.max(0, max - reserved - calls.length);
  // A window is free for one more when the call before the last `max` leaves it.
  const leaving = others > 0 ? undefined : calls[Math.max(0, max - reserved - 1)];
  return {
    total: Math.max(0, max - calls.length),
    others,
    moreAtMs: leaving === undefined ? null : leaving + perMs,
  };
}
