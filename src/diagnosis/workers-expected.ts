/** Which workers a reading should show: those that the others do. A worker that is missing from one is not seen there. */

import { type Seen, type Unseen, valuesByWorker } from './seen.js';

/** In order of their names. Empty for what has no workers. */
export type WorkersExpected = (own: Seen | Unseen) => readonly string[];

/**
 * Workers that should be in a reading: those of every reading that shares a worker with it (another
 * exporter may name workers differently, and then proves nothing). A worker that is known to be down is
 * not expected anywhere.
 */
export function createWorkersExpected(all: readonly (Seen | Unseen)[]): WorkersExpected {
  // Most readings show the same workers: they are compared once a kind, not once a pair.
  const kinds = new Map<string, readonly string[]>();
  const down = new Set<string>();
  for (const reading of all) {
    if (reading.kind === 'unseen' || !reading.perWorker) continue;
    const names = namesOf(reading);
    kinds.set(keyOf(names), names);
    if (reading.unit !== 'bool') continue;
    for (const { worker, value } of reading.samples) if (worker !== null && value === 0) down.add(worker);
  }
  const known = new Map<string, readonly string[]>();

  return (own) => {
    if (own.kind === 'unseen' || !own.perWorker) return [];
    const mine = namesOf(own);
    const key = keyOf(mine);
    const before = known.get(key);
    if (before !== undefined) return before;
    const set = new Set(mine);
    const expected = new Set<string>();
    for (const [other, names] of kinds) {
      if (other === key || names.some((worker) => set.has(worker)))
        for (const worker of names) if (!down.has(worker)) expected.add(worker);
    }
    const sorted = [...expected].sort();
    known.set(key, sorted);
    return sorted;
  };
}

function namesOf(seen: Seen): readonly string[] {
  return [...valuesByWorker(seen, false).keys()];
}

/** Names may hold anything but a line break's control character. */
function keyOf(names: readonly string[]): string {
  return names.join('\n');
}
