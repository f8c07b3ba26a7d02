/** Signed calls from outside that were acted upon. A copy of one, replayed or delivered again, must do nothing. */

import { DAY } from '../domain/clock.js';
import type { CallbackProvider, Tx } from './tables.js';

/** Names one call: Slack's signature, PagerDuty's event id. */
export type CallbackKey = { readonly provider: CallbackProvider; readonly key: string };

/** PagerDuty delivers an event again for up to 48 h; a signature of Slack is old after 5 min. */
const KEPT_MS = 7 * DAY;

export function createCallbackStore() {
  return {
    /** Takes a call for the transaction at hand. False when it was acted upon before. */
    async claimCallback(tx: Tx, { provider, key }: CallbackKey, nowMs: number): Promise<boolean> {
      await tx
        .deleteFrom('callbacks')
        .where('received_at', '<', nowMs - KEPT_MS)
        .execute();
      const taken = await tx
        .insertInto('callbacks')
        .values({ provider, key, received_at: nowMs })
        .onConflict((conflict) => conflict.columns(['provider', 'key']).doNothing())
        .executeTakeFirst();
      return (taken.numInsertedOrUpdatedRows ?? 0n) > 0n;
    },
  };
}
