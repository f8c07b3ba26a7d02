/**
 * A process that can be killed without leaving the test: from then on its timers never ring, its database calls
 * never come back, and nothing it still had in its hands goes on. What it committed stays.
 */

import type { Clock } from '../../src/domain/clock.js';
import type { Database } from '../../src/store/database.js';

export type MortalProcess = {
  readonly clock: Clock;
  readonly db: Database;
  readonly isAlive: () => boolean;
  /** No clean-up of any kind happens. */
  readonly kill: () => void;
};

export function createMortalProcess(outer: { readonly clock: Clock; readonly db: Database }): MortalProcess {
  let alive = true;
  const never = new Promise<never>(() => {});
  const living = async <T>(result: Promise<T>): Promise<T> => {
    const value = await result;
    return alive ? value : never;
  };
  return {
    isAlive: () => alive,
    kill() {
      alive = false;
    },
    clock: {
      now: outer.clock.now,
      monotonic: outer.clock.monotonic,
      after: (delayMs, fn) =>
        outer.clock.after(delayMs, () => {
          if (alive) fn();
        }),
    },
    db: {
      ...outer.db,
      transaction: (fn) => (alive ? living(outer.db.transaction(fn)) : never),
    },
  };
}
