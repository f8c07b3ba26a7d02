/** What a restart must not forget of an account at a provider: how much was sent, and how it answers. */

import type { DeliveryReason } from '../domain/notification.js';
import { storable } from './storable.js';
import type { Tx } from './tables.js';

/** An account that does not simply work. */
export type AccountState = {
  readonly account: string;
  /** It asked to be left alone until then, ms since 1970. */
  readonly pausedUntilMs: number | null;
  /** Since when it accepts nothing, and how it last failed; null while it accepts. */
  readonly failing: {
    readonly sinceMs: number;
    readonly reason: DeliveryReason;
    readonly detail: string;
  } | null;
};

export type AccountStore = ReturnType<typeof createAccountStore>;

export function createAccountStore() {
  return {
    /** Counts calls that are about to be made, and forgets those of before `forgetBeforeMs`. */
    async recordCalls(
      tx: Tx,
      calls: {
        readonly account: string;
        readonly count: number;
        readonly nowMs: number;
        readonly forgetBeforeMs: number;
      },
    ): Promise<void> {
      const { account, nowMs } = calls;
      await tx
        .insertInto('account_calls')
        .values(Array.from({ length: calls.count }, () => ({ account, at: nowMs })))
        .execute();
      await tx
        .deleteFrom('account_calls')
        .where('account', '=', account)
        .where('at', '<', calls.forgetBeforeMs)
        .execute();
    },

    /** Takes the newest count back: nothing was called after all. */
    async refundCall(tx: Tx, account: string): Promise<void> {
      await tx
        .deleteFrom('account_calls')
        .where('id', '=', (eb) =>
          eb
            .selectFrom('account_calls')
            .select((inner) => inner.fn.max('id').as('id'))
            .where('account', '=', account),
        )
        .execute();
    },

    /** Times of the calls after `sinceMs`, newest first, at most `limit`. */
    async callsSince(tx: Tx, account: string, sinceMs: number, limit: number): Promise<number[]> {
      const rows = await tx
        .selectFrom('account_calls')
        .select('at')
        .where('account', '=', account)
        .where('at', '>', sinceMs)
        .orderBy('at', 'desc')
        .limit(limit)
        .execute();
      return rows.map((row) => row.at);
    },

    /** Every account that is paused or failing. */
    async accountStates(tx: Tx): Promise<AccountState[]> {
      const rows = await tx.selectFrom('accounts').selectAll().orderBy('name').execute();
      return rows.map((row) => ({
        account: row.name,
        pausedUntilMs: row.paused_until,
        failing:
          row.failing_since === null
            ? null
            : {
                sinceMs: row.failing_since,
                reason: row.failing_reason ?? 'bad_response',
                detail: row.failing_detail ?? '',
              },
      }));
    },

    /** Remembers how an account answers; one that works is forgotten. */
    async saveAccountState(tx: Tx, state: AccountState): Promise<void> {
      if (state.pausedUntilMs === null && state.failing === null) {
        await tx.deleteFrom('accounts').where('name', '=', state.account).execute();
        return;
      }
      const columns = {
        paused_until: state.pausedUntilMs,
        failing_since: state.failing?.sinceMs ?? null,
        failing_reason: state.failing?.reason ?? null,
        failing_detail: state.failing === null ? null : storable(state.failing.detail, 300),
      };
      await tx
        .insertInto('accounts')
        .values({ name: state.account, ...columns })
        .onConflict((conflict) => conflict.column('name').doUpdateSet(columns))
        .execute();
    },
  };
}
