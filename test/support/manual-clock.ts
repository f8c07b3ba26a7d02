/** Time that moves only when a test says so. Timers fire in order of their due time, each with the clock at that time. */

import type { Cancel, Clock } from '../../src/domain/clock.js';

export type ManualClock = Clock & {
  /** Moves wall and monotonic time forward, running every timer that falls due, and lets the work it starts settle. */
  readonly advance: (ms: number) => Promise<void>;
  /** Steps the wall clock to a moment, as an operator or NTP would; timers are not affected. */
  readonly setWall: (ms: number) => void;
};

type Timer = { readonly dueAt: number; readonly order: number; readonly fn: () => void };

/** A turn of the event loop lets promises and immediates run; some chains need several. */
const SETTLE_TURNS = 5;

export function createManualClock(options: { readonly nowMs: number }): ManualClock {
  let wall = options.nowMs;
  let elapsed = 0;
  let order = 0;
  const timers = new Set<Timer>();

  async function settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS; turn += 1) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  function nextTimer(until: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of timers) {
      if (timer.dueAt > until) continue;
      if (
        next === null ||
        timer.dueAt < next.dueAt ||
        (timer.dueAt === next.dueAt && timer.order < next.order)
      ) {
        next = timer;
      }
    }
    return next;
  }

  function moveTo(target: number): void {
    const step = Math.max(0, target - elapsed);
    elapsed += step;
    wall += step;
  }

  return {
    now: () => wall,
    monotonic: () => elapsed,
    after(delayMs, fn): Cancel {
      const timer: Timer = { dueAt: elapsed + Math.max(0, delayMs), order, fn };
      order += 1;
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    async advance(ms) {
      await settle();
      const target = elapsed + ms;
      for (let timer = nextTimer(target); timer !== null; timer = nextTimer(target)) {
        timers.delete(timer);
        moveTo(timer.dueAt);
        timer.fn();
        await settle();
      }
      moveTo(target);
      await settle();
    },
    setWall(ms) {
      wall = ms;
    },
  };
}
