import { type Clock, SECOND } from '../domain/clock.js';

/** Failures in a row that open the circuit, and for how long. Fewer would trip on one slow scrape. */
const FAILURES_TO_OPEN = 5;
const OPEN_MS = 30 * SECOND;

export type CircuitBreaker = {
  /** Null when a call may be made; else how long the circuit stays open, ms. */
  readonly refusal: () => number | null;
  readonly succeeded: () => void;
  readonly failed: () => void;
};

/** Stops asking a server that does not answer, so that a diagnosis fails at once in place of at its deadline. */
export function createCircuitBreaker(clock: Clock): CircuitBreaker {
  let failures = 0;
  let openUntil = 0;
  return {
    refusal() {
      const left = openUntil - clock.monotonic();
      return left > 0 ? left : null;
    },
    succeeded() {
      failures = 0;
      openUntil = 0;
    },
    failed() {
      failures++;
      // After the pause one failure is enough to open it again.
      if (failures >= FAILURES_TO_OPEN) openUntil = clock.monotonic() + OPEN_MS;
    },
  };
}
