import type { ServingWorker } from './serving-worker.js';

export type RouterPolicy = 'round_robin' | 'least_loaded' | 'session_affinity' | 'prefix_hash';

export type Routed = { readonly session: number; readonly prefixId: number };

export type Router = {
  /** Who serves it; null when nobody can. `policy` may differ from call to call: an operator changes it. */
  readonly choose: (request: Routed, policy: RouterPolicy) => ServingWorker | null;
};

/**
 * Chooses among the workers that are up and not drained. A worker chosen by session or prefix is passed over for the
 * least loaded one when it holds `spillAt` requests.
 */
export function createRouter(
  workers: readonly ServingWorker[],
  isDrained: (index: number) => boolean,
  spillAt: number,
): Router {
  let turn = 0;

  const canServe = (index: number) => workers[index]?.isUp() === true && !isDrained(index);

  /** Ties go round, or the first worker would get every burst. */
  function leastLoaded(): ServingWorker | null {
    turn += 1;
    let best: ServingWorker | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (let step = 0; step < workers.length; step += 1) {
      const index = (turn + step) % workers.length;
      if (!canServe(index)) continue;
      const worker = workers[index] as ServingWorker;
      const load = worker.load();
      if (load >= least) continue;
      best = worker;
      least = load;
    }
    return best;
  }

  function roundRobin(): ServingWorker | null {
    for (let step = 0; step < workers.length; step += 1) {
      turn += 1;
      const index = turn % workers.length;
      if (canServe(index)) return workers[index] as ServingWorker;
    }
    return null;
  }

  /** Highest random weight: a worker that comes or goes moves only its own keys. */
  function byKey(key: number): ServingWorker | null {
    let best: ServingWorker | null = null;
    let highest = -1;
    for (let index = 0; index < workers.length; index += 1) {
      if (!canServe(index)) continue;
      const weight = hash(key, index);
      if (weight <= highest) continue;
      highest = weight;
      best = workers[index] as ServingWorker;
    }
    return best !== null && best.load() >= spillAt ? leastLoaded() : best;
  }

  return {
    choose({ session, prefixId }, policy) {
      if (policy === 'round_robin') return roundRobin();
      if (policy === 'session_affinity') return byKey(session);
      if (policy === 'prefix_hash' && prefixId >= 0) return byKey(prefixId);
      return leastLoaded();
    },
  };
}

function hash(key: number, index: number): number {
  let t = Math.imul(key + 0x6d2b79f5, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) >>> 0;
}
