/** Pages that wait for acceptance: when each goes to the next rung of its ladder as well. */

import { sql } from 'kysely';
import { CLIMB_AFTER_MS, type Notification } from '../domain/notification.js';
import { toNotification } from './notification-row.js';
import type { Tx } from './tables.js';

/** Said literally, so that the index over part of the table is used. */
const mayClimb = sql<boolean>`purpose = 'page' and climbed_at is null and state in ('queued', 'sending')`;

/** Where no try was made yet, counted from when it was due. */
const climbAt = sql<number>`coalesce(climb_at, due_at + ${sql.lit(CLIMB_AFTER_MS)})`;

export function createClimbStore() {
  return {
    /** Pages that were not accepted in time and are not passed on yet, oldest first. */
    async dueClimbs(tx: Tx, nowMs: number, limit: number): Promise<Notification[]> {
      const rows = await tx
        .selectFrom('notifications')
        .selectAll()
        .where(mayClimb)
        .where(climbAt, '<=', nowMs)
        .orderBy(climbAt)
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(toNotification);
    },

    /** Pages that are due and in nobody's hands, oldest first. */
    async duePages(tx: Tx, nowMs: number, limit: number): Promise<Notification[]> {
      const rows = await tx
        .selectFrom('notifications')
        .selectAll()
        .where(sql<boolean>`purpose = 'page' and state in ('queued', 'sending')`)
        .where('state', '=', 'queued')
        .where('due_at', '<=', nowMs)
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(toNotification);
    },

    /** When the next page climbs, ms since 1970, perhaps in the past; null when none does. */
    async nextClimbMs(tx: Tx): Promise<number | null> {
      const row = await tx
        .selectFrom('notifications')
        .select(sql<number | null>`min(${climbAt})`.as('at'))
        .where(mayClimb)
        .executeTakeFirst();
      return row?.at ?? null;
    },

    /** Records that a page was passed on. False when it was already. */
    async markClimbed(tx: Tx, id: number, nowMs: number): Promise<boolean> {
      const done = await tx
        .updateTable('notifications')
        .set({ climbed_at: nowMs })
        .where('id', '=', id)
        .where('climbed_at', 'is', null)
        .executeTakeFirst();
      return done.numUpdatedRows > 0n;
    },
  };
}
