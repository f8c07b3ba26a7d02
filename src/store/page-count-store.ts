/** Which pages count against the ceiling of a receiver. Counted from the rows themselves, so a restart forgets none. */

import { sql } from 'kysely';
import type { Tx } from './tables.js';

export function createPageCountStore() {
  return {
    /**
     * When a receiver was paged after `sinceMs`, ms since 1970; `nowMs` for pages that were let go and are not
     * finished. Told in no order.
     */
    async pagedAt(
      tx: Tx,
      asked: { readonly receiver: string; readonly sinceMs: number; readonly nowMs: number },
    ): Promise<number[]> {
      const finished = await tx
        .selectFrom('notifications')
        .select('admitted_at as at')
        .where('receiver', '=', asked.receiver)
        .where('admitted_at', '>', asked.sinceMs)
        .where('state', 'not in', ['queued', 'sending'])
        .execute();
      const underway = await tx
        .selectFrom('notifications')
        .select('id')
        .where('receiver', '=', asked.receiver)
        .where(sql<boolean>`state in ('queued', 'sending')`)
        .where('admitted_at', 'is not', null)
        .execute();
      return [...finished.map((row) => row.at ?? asked.nowMs), ...underway.map(() => asked.nowMs)];
    },

    /** Lets a page go: from now on it counts. */
    async admit(tx: Tx, id: number, nowMs: number): Promise<void> {
      await tx.updateTable('notifications').set({ admitted_at: nowMs }).where('id', '=', id).execute();
    },
  };
}
