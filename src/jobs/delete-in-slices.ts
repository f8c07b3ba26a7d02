/** Deletes a lot without being felt: in slices that are short, with pauses in which alerts are taken. */

import type { Clock } from '../domain/clock.js';

/** A slice may take this long; nothing else is written meanwhile. Intake then waits 50 ms at most, a slow commit included. */
const SLICE_MS = 20;
/** Between two slices, so that deleting takes a third of the database's time at most. */
const PAUSE_MS = 40;
const FIRST_LIMIT = 10;
const MAX_LIMIT = 2_000;

/**
 * Calls `deleteSome(limit)` until it returns 0 or `signal` fires, and returns the sum. How many rows fit into a slice is
 * learned from the last one; it grows by half at most, since rows differ.
 */
export async function deleteInSlices(
  deleteSome: (limit: number) => Promise<number>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<number> {
  let limit = FIRST_LIMIT;
  let sum = 0;
  while (!signal.aborted) {
    const startedAt = clock.monotonic();
    const deleted = await deleteSome(limit);
    const tookMs = Math.max(0.1, clock.monotonic() - startedAt);
    if (deleted === 0) return sum;
    sum += deleted;
    const fitting = Math.floor((deleted * SLICE_MS) / tookMs);
    limit = Math.max(1, Math.min(MAX_LIMIT, fitting, Math.ceil(limit * 1.5)));
    await pause(clock, signal);
  }
  return sum;
}

function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(PAUSE_MS, end);
    signal.addEventListener('abort', end, { once: true });
  });
}
