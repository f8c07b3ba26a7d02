/** Resolves towards pagers: held back while they may not last, and the end of an episode once they went out. */

import { storable } from './storable.js';
import type { Tx } from './tables.js';

export function createResolveStore() {
  return {
    /** Records, before the call, that a resolve of an episode goes to a pager. From then on no trigger of it may be sent. */
    async markResolveAttempted(tx: Tx, episodeId: number, nowMs: number): Promise<void> {
      await tx
        .updateTable('episodes')
        .set({ resolve_attempted_at: nowMs })
        .where('id', '=', episodeId)
        .where('resolve_attempted_at', 'is', null)
        .execute();
    },

    /** Withdraws queued resolves of an episode whose alert fires again. Returns how many. */
    async dropHeldResolves(
      tx: Tx,
      options: {
        readonly episodeId: number;
        readonly reason: string;
        readonly nowMs: number;
        /** Only those for these receivers; all of them when absent. */
        readonly receivers?: readonly string[];
      },
    ): Promise<number> {
      let held = tx
        .updateTable('notifications')
        .set({
          state: 'dropped',
          last_reason: storable(options.reason, 500),
          finished_at: options.nowMs,
        })
        .where('episode_id', '=', options.episodeId)
        .where('purpose', '=', 'page_resolve')
        .where('state', '=', 'queued');
      if (options.receivers !== undefined) held = held.where('receiver', 'in', options.receivers);
      const result = await held.executeTakeFirst();
      return Number(result.numUpdatedRows);
    },

    /** Makes held resolves of an episode due now: a human said that it is over. */
    async releaseHeldResolves(tx: Tx, episodeId: number, nowMs: number): Promise<void> {
      await tx
        .updateTable('notifications')
        .set({ due_at: nowMs })
        .where('episode_id', '=', episodeId)
        .where('purpose', '=', 'page_resolve')
        .where('state', '=', 'queued')
        .where('attempts', '=', 0)
        .where('due_at', '>', nowMs)
        .execute();
    },
  };
}
