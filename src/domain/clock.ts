/**
 * Time as an argument. Wall time is for display and for due times that must survive a restart;
 * durations and timers use the monotonic clock, because the wall clock can be stepped.
 */

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Cancels a timer. Calling it twice, or after the timer ran, does nothing. */
export type Cancel = () => void;

export type Clock = {
  /** Wall time, ms since 1970-01-01 UTC. May jump. */
  readonly now: () => number;
  /** Monotonic time in ms from an arbitrary origin. Never goes back. */
  readonly monotonic: () => number;
  /** Runs `fn` once after `delayMs` of monotonic time. */
  readonly after: (delayMs: number, fn: () => void) => Cancel;
};
