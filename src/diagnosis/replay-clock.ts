/** Time for a replay: it stands while anything moves, and jumps to the next timer once nothing does. */

import type { Clock } from '../domain/clock.js';

type Timer = { readonly dueMs: number; readonly fn: () => void };

/**
 * Answers of a recording come at once or never. So whoever still waits when all promises have settled waits for a
 * deadline, and gets it at once: a replay gives what the diagnosis gave then, without its seconds.
 */
export function createReplayClock(startMs: number): Clock {
  const timers = new Set<Timer>();
  let elapsedMs = 0;
  let armed = false;

  function fireNext(): void {
    armed = false;
    let next: Timer | null = null;
    for (const timer of timers) if (next === null || timer.dueMs < next.dueMs) next = timer;
    if (next === null) return;
    timers.delete(next);
    elapsedMs = Math.max(elapsedMs, next.dueMs);
    next.fn();
    arm();
  }

  /** Immediates run after every promise that can settle has. */
  function arm(): void {
    if (armed || timers.size === 0) return;
    armed = true;
    setImmediate(fireNext);
  }

  return {
    now: () => startMs + elapsedMs,
    monotonic: () => elapsedMs,
    after(delayMs, fn) {
      const timer = { dueMs: elapsedMs + Math.max(0, delayMs), fn };
      timers.add(timer);
      arm();
      return () => {
        timers.delete(timer);
      };
    },
  };
}
