import type { ServingWorker } from './serving-worker.js';

export type SurgeRollout = {
  /** Moves on; true when every old worker is replaced. */
  readonly tick: (nowMs: number) => boolean;
  readonly drains: (index: number) => boolean;
};

/** A pod that is to go may finish what it has; few answers take longer. */
const GRACE_MS = 180_000;

/**
 * A deploy as Kubernetes does it with a surge of one: a new worker is started and loaded, then an old one drained and
 * taken away, and so on. At no time are fewer workers ready than before.
 */
export function createSurgeRollout(
  workers: readonly ServingWorker[],
  addWorker: (nowMs: number) => void,
  retire: (index: number) => void,
): SurgeRollout {
  const old = workers.length;
  let position = 0;
  let newcomer: ServingWorker | undefined;
  let drainingSince: number | null = null;
  return {
    tick(nowMs) {
      if (position >= old) return true;
      if (newcomer === undefined) {
        addWorker(nowMs);
        newcomer = workers[workers.length - 1];
        return false;
      }
      if (!newcomer.isUp()) return false;
      drainingSince ??= nowMs;
      const leaving = workers[position] as ServingWorker;
      if (leaving.load() > 0 && nowMs - drainingSince < GRACE_MS) return false;
      retire(position);
      position += 1;
      newcomer = undefined;
      drainingSince = null;
      return position >= old;
    },
    drains: (index) => drainingSince !== null && index === position,
  };
}
