/**
 * How often one receiver may be paged. Beyond that new criticals are bundled: the last page that a ceiling allows
 * is one that can take in more, so that from then on each of them is named there within a minute, waking nobody,
 * and wakes somebody as soon as there is room again. Deferred, never dropped.
 */

import { MINUTE, SECOND } from './clock.js';

/** At most `pages` in any `withinMs`. */
export type PageCeiling = { readonly pages: number; readonly withinMs: number };

/** alone: a page of its own may go. bundle: one more may, and must be a bundle. none: whoever comes is named in a bundle that stands. */
export type Room = 'alone' | 'bundle' | 'none';

/**
 * What may go at `nowMs`. `pagedAtMs` are the times of pages that may have woken somebody: of their acceptance,
 * or now for those under way.
 */
export function roomUnder(
  ceilings: readonly PageCeiling[],
  pagedAtMs: readonly number[],
  nowMs: number,
): Room {
  const left = ceilings.map(
    ({ pages, withinMs }) => pages - pagedAtMs.filter((atMs) => atMs > nowMs - withinMs).length,
  );
  if (left.every((pages) => pages > 1)) return 'alone';
  return left.every((pages) => pages > 0) ? 'bundle' : 'none';
}

/** The longest window of these, ms; 0 where there is none. */
export function longestWindowMs(ceilings: readonly PageCeiling[]): number {
  return Math.max(0, ...ceilings.map(({ withinMs }) => withinMs));
}

/**
 * How long after its last message a standing page is told of new members. They must be named within a minute, and a
 * pager takes few events a minute.
 */
export const LIST_EVERY_MS = 30 * SECOND;

/** The time within which each critical is named in some page. */
export const LIST_WITHIN_MS = MINUTE;
