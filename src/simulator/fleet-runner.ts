import type { Cancel, Clock } from '../domain/clock.js';
import type { Fleet } from './fleet.js';
import { createFleetHistory, type FleetHistory } from './fleet-history.js';

export type FleetRunner = {
  readonly start: () => void;
  readonly stop: () => void;
  readonly history: FleetHistory;
};

/** A laptop that slept must not simulate the night on waking. */
const MAX_STEP_MS = 5000;

/**
 * Drives a fleet in real time, `speed` simulated ms a real one (default 1), and keeps a snapshot every `snapshotMs`
 * (default 1 s, on the wall clock's time). `backfillMs` of history is simulated at the start, so that windows are full at once.
 */
export function createFleetRunner(options: {
  readonly fleet: Fleet;
  readonly clock: Clock;
  readonly tickMs?: number;
  readonly snapshotMs?: number;
  readonly speed?: number;
  readonly backfillMs?: number;
  readonly history?: FleetHistory;
}): FleetRunner {
  const { fleet, clock } = options;
  const tickMs = options.tickMs ?? 100;
  const snapshotMs = options.snapshotMs ?? 1000;
  const speed = options.speed ?? 1;
  const history = options.history ?? createFleetHistory();
  let cancel: Cancel | null = null;
  let lastTick = 0;
  let lastSnapshot = Number.NEGATIVE_INFINITY;

  function keep(): void {
    history.add({ atMs: clock.now(), snapshot: fleet.snapshot() });
    lastSnapshot = clock.monotonic();
  }

  function tick(): void {
    const now = clock.monotonic();
    fleet.advance(Math.min(MAX_STEP_MS, now - lastTick) * speed);
    lastTick = now;
    if (now - lastSnapshot >= snapshotMs) keep();
    cancel = clock.after(tickMs, tick);
  }

  return {
    history,
    start() {
      if (cancel !== null) return;
      const backfillMs = history.latest() === undefined ? (options.backfillMs ?? 0) : 0;
      for (let back = backfillMs; back > 0; back -= snapshotMs) {
        history.add({ atMs: clock.now() - back, snapshot: fleet.snapshot() });
        fleet.advance(snapshotMs * speed);
      }
      keep();
      lastTick = clock.monotonic();
      cancel = clock.after(tickMs, tick);
    },
    stop() {
      cancel?.();
      cancel = null;
    },
  };
}
