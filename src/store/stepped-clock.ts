/** Which rows were written before the wall clock was stepped. */

import { sql } from 'kysely';

/** A step is noticed within this time, so what was written in it may know the new time already. */
const NOTICED_WITHIN_MS = 2000;

/**
 * True for rows whose `column` (ms since 1970) was written in the old time. After a step back a row of the old time
 * that happens to read "just now" is taken for a new one.
 */
export function plannedBefore(column: string, nowMs: number, steppedMs: number) {
  const at = sql.ref(column);
  return steppedMs > 0
    ? sql<boolean>`${at} <= ${nowMs - steppedMs}`
    : sql<boolean>`(${at} > ${nowMs} or ${at} < ${nowMs - NOTICED_WITHIN_MS})`;
}
