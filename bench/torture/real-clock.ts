import { performance } from 'node:perf_hooks';
import type { Clock } from '../../src/domain/clock.js';

/** The machine's own clocks, for the harness. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, delayMs);
    return () => clearTimeout(timer);
  },
};

export function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    realClock.after(delayMs, resolve);
  });
}
