import type { ServingWorker } from './serving-worker.js';

export type RollingRestart = {
  /** Moves on; true when the last worker is back. */
  readonly tick: (nowMs: number) => boolean;
  readonly drains: (index: number) => boolean;
};

/** An operator's restart waits this long for requests to end. */
export const DRAIN_MS = 30_000;

/**
 * Restarts workers one by one: drained, restarted, loaded, then the next. `started` is told as each process goes down,
 * so that what the new one reads at its start can be set.
 */
export function createRollingRestart(
  workers: readonly ServingWorker[],
  order: readonly number[],
  loadMs: number,
  drainMs: number,
  started: (index: number) => void,
): RollingRestart {
  let position = 0;
  let drainingSince: number | null = null;
  let isDown = false;
  return {
    tick(nowMs) {
      const index = order[position];
      const worker = index === undefined ? undefined : workers[index];
      if (index === undefined || worker === undefined) return true;
      if (isDown) {
        if (!worker.isUp()) return false;
        isDown = false;
        drainingSince = null;
        position += 1;
        return position >= order.length;
      }
      drainingSince ??= nowMs;
      if (worker.load() > 0 && nowMs - drainingSince < drainMs) return false;
      started(index);
      worker.crash(nowMs, loadMs, 'crash');
      isDown = true;
      return false;
    },
    drains: (index) => order[position] === index,
  };
}
