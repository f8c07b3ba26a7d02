import type { FleetSnapshot } from './snapshot.js';

export type DatedSnapshot = { readonly atMs: number; readonly snapshot: FleetSnapshot };

export type FleetHistory = {
  readonly add: (entry: DatedSnapshot) => void;
  /** The newest snapshot not after `atMs`. */
  readonly at: (atMs: number) => DatedSnapshot | undefined;
  /** Every snapshot after `fromMs` up to `toMs`, oldest first, and the one before them as a starting point. */
  readonly between: (fromMs: number, toMs: number) => readonly DatedSnapshot[];
  readonly latest: () => DatedSnapshot | undefined;
};

/** Ten minutes at one snapshot a second: enough for an hour at time scale 20, about 10 MB. */
const DEFAULT_LIMIT = 600;

/** The last `limit` snapshots. Entries come in order of time; one that goes back is dropped (the wall clock was stepped). */
export function createFleetHistory(limit = DEFAULT_LIMIT): FleetHistory {
  const entries: DatedSnapshot[] = [];

  function indexAt(atMs: number): number {
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((entries[middle]?.atMs ?? 0) <= atMs) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  return {
    add(entry) {
      const last = entries[entries.length - 1];
      if (last !== undefined && entry.atMs <= last.atMs) return;
      entries.push(entry);
      if (entries.length > limit) entries.shift();
    },
    at: (atMs) => entries[indexAt(atMs)],
    between: (fromMs, toMs) => entries.slice(Math.max(0, indexAt(fromMs)), indexAt(toMs) + 1),
    latest: () => entries[entries.length - 1],
  };
}
