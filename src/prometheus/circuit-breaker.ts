import { type Clock, SECOND } from '../domain/clock.js';

/** Failures in a row within half a minute that open the circuit. Fewer would trip on one slow moment. */
const FAILURES_TO_OPEN = 5;
const WITHIN_MS = 30 * SECOND;
/** How long nothing is asked before one question may try. Longer blinds a diagnosis after a short outage. */
const TRY_AFTER_MS = 10 * SECOND;

export type CircuitBreaker = {
  /** Null when a call may be made (the caller then reports how it went); else how long until the next try, ms. */
  readonly refusal: () => number | null;
  readonly succeeded: () => void;
  readonly failed: () => void;
  /** The call ended without saying anything about the server, as when the caller gave it up. */
  readonly undecided: () => void;
};

/**
 * Stops asking a server that does not answer, so that a diagnosis fails at once in place of at its deadline.
 * While open a single question is let through every ten seconds; its success closes the circuit.
 */
export function createCircuitBreaker(clock: Clock): CircuitBreaker {
  let failures: number[] = [];
  let openUntil: number | null = null;
  let trying = false;

  return {
    refusal() {
      if (openUntil === null) return null;
      const left = openUntil - clock.monotonic();
      if (left > 0) return left;
      if (trying) return TRY_AFTER_MS;
      trying = true;
      return null;
    },
    succeeded() {
      failures = [];
      openUntil = null;
      trying = false;
    },
    failed() {
      const now = clock.monotonic();
      trying = false;
      failures = [...failures.filter((at) => now - at <= WITHIN_MS), now].slice(-FAILURES_TO_OPEN);
      // Once open, one failed try keeps it open.
      if (openUntil !== null || failures.length >= FAILURES_TO_OPEN) openUntil = now + TRY_AFTER_MS;
    },
    undecided() {
      trying = false;
    },
  };
}
