/**
 * The outbox. Claiming is one statement, keeps the order of an incident at a receiver, and counts the attempt
 * before it is made, so a crash mid-send is not free. A result under an older fence is refused.
 */

import { sql } from 'kysely';
import type { NewNotification, Notification, NotificationState } from '../domain/notification.js';
import { bulkStatement, placeholderRows } from './bulk.js';
import { createCardStore } from './card-store.js';
import { toNotification } from './notification-row.js';
import { createOutboxView } from './outbox-view.js';
import { createResolveStore } from './resolve-store.js';
import { storable } from './storable.js';
import type { Tx } from './tables.js';

/** Names one claim of one notification. */
export type NotificationClaim = { readonly id: number; readonly fence: number };

export type NotificationStore = ReturnType<typeof createNotificationStore>;

const COLUMNS = [
  'incident_id',
  'episode_id',
  'receiver',
  'purpose',
  'state',
  'due_at',
  'created_at',
] as const;

/** A card that waits already is made due earlier, never stored twice. */
const insertCards = bulkStatement((tx, count) =>
  tx
    .insertInto('notifications')
    .values(placeholderRows('notifications', COLUMNS, count))
    .onConflict((conflict) =>
      conflict
        .columns(['incident_id', 'receiver'])
        .where(sql<boolean>`purpose = 'card' and state = 'queued'`)
        .doUpdateSet({
          due_at: sql`case when excluded.due_at < notifications.due_at then excluded.due_at else notifications.due_at end`,
        }),
    )
    .compile(),
);

const insertOthers = bulkStatement((tx, count) =>
  tx
    .insertInto('notifications')
    .values(placeholderRows('notifications', COLUMNS, count))
    .onConflict((conflict) => conflict.doNothing())
    .compile(),
);

export function createNotificationStore() {
  return {
    ...createCardStore(),
    ...createOutboxView(),
    ...createResolveStore(),

    /** Stores notifications. One that is stored already (a page of the same episode, a waiting card) is not stored again. */
    async enqueue(tx: Tx, notifications: readonly NewNotification[]): Promise<void> {
      await insertOthers.run(tx, notifications.filter((one) => one.purpose !== 'card').map(toRow));
      await insertCards.run(tx, notifications.filter((one) => one.purpose === 'card').map(toRow));
    },

    /** Takes due rows, pages first. No row is taken while an older one of its incident and receiver is unfinished. */
    async claimDue(
      tx: Tx,
      options: { readonly nowMs: number; readonly leaseMs: number; readonly limit: number },
    ): Promise<Notification[]> {
      const due = await tx
        .selectFrom('notifications as n')
        .select('n.id')
        .where(isDue(options.nowMs))
        .where(isNext())
        .orderBy(sql`case when n.purpose = 'page' then 0 else 1 end`)
        .orderBy('n.due_at')
        .orderBy('n.id')
        .limit(options.limit)
        .execute();
      if (due.length === 0) return [];
      const order = new Map(due.map((row, index) => [row.id, index]));
      const rows = await tx
        .updateTable('notifications')
        .set((eb) => ({
          state: 'sending',
          attempts: eb('attempts', '+', 1),
          fence: eb('fence', '+', 1),
          lease_until: options.nowMs + options.leaseMs,
        }))
        .where('id', 'in', [...order.keys()])
        .returningAll()
        .execute();
      return rows.map(toNotification).sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
    },

    /** Makes what waits for the first time of an incident due now. Held resolves and retries keep their time. */
    async pullForward(tx: Tx, incidentId: number, nowMs: number): Promise<void> {
      await tx
        .updateTable('notifications')
        .set({ due_at: nowMs })
        .where('incident_id', '=', incidentId)
        .where('state', '=', 'queued')
        .where('attempts', '=', 0)
        .where('due_at', '>', nowMs)
        .where('purpose', '<>', 'page_resolve')
        .execute();
    },

    /** Ends a claimed row. False when the claim is no longer the present one; nothing is changed then. */
    async finish(
      tx: Tx,
      result: NotificationClaim & {
        readonly state: Extract<NotificationState, 'sent' | 'dead' | 'dropped'>;
        readonly reason: string | null;
        readonly ref: string | null;
        readonly nowMs: number;
      },
    ): Promise<boolean> {
      const done = await claimed(tx, result)
        .set({
          state: result.state,
          last_reason: result.reason === null ? null : storable(result.reason, 500),
          ref: result.ref,
          lease_until: null,
          finished_at: result.nowMs,
        })
        .executeTakeFirst();
      return done.numUpdatedRows > 0n;
    },

    /** Puts a claimed row back for another try at `dueAtMs`. False when the claim is no longer the present one. */
    async retry(
      tx: Tx,
      result: NotificationClaim & { readonly dueAtMs: number; readonly reason: string },
    ): Promise<boolean> {
      // A card that was asked for anew while this one was under way replaces it: only one may wait.
      const waiting = await tx
        .selectFrom('notifications as n')
        .innerJoin('notifications as mine', (join) =>
          join
            .onRef('mine.incident_id', '=', 'n.incident_id')
            .onRef('mine.receiver', '=', 'n.receiver')
            .on('mine.id', '=', result.id),
        )
        .select('n.id')
        .where('mine.purpose', '=', 'card')
        .where('n.purpose', '=', 'card')
        .where('n.state', '=', 'queued')
        .executeTakeFirst();
      if (waiting !== undefined) {
        await tx
          .updateTable('notifications')
          .set({ due_at: sql`case when due_at < ${result.dueAtMs} then ${result.dueAtMs} else due_at end` })
          .where('id', '=', waiting.id)
          .execute();
        const replaced = await claimed(tx, result)
          .set({
            state: 'dropped',
            last_reason: `replaced by a newer update after: ${storable(result.reason, 400)}`,
            lease_until: null,
          })
          .executeTakeFirst();
        return replaced.numUpdatedRows > 0n;
      }
      const done = await claimed(tx, result)
        .set({
          state: 'queued',
          due_at: result.dueAtMs,
          last_reason: storable(result.reason, 500),
          lease_until: null,
        })
        .executeTakeFirst();
      return done.numUpdatedRows > 0n;
    },

    /** Gives every claim back, for a start after a crash or at shutdown: with one process a file, nobody else holds one. */
    async releaseLeases(tx: Tx, { nowMs }: { readonly nowMs: number }): Promise<void> {
      // A card under way whose successor waits already must not become a second waiting one.
      await tx
        .updateTable('notifications')
        .set({
          state: 'dropped',
          last_reason: 'replaced by a newer update',
          lease_until: null,
          finished_at: nowMs,
        })
        .where('state', '=', 'sending')
        .where('purpose', '=', 'card')
        .where(
          sql<boolean>`exists (select 1 from notifications w where w.incident_id = notifications.incident_id
            and w.receiver = notifications.receiver and w.purpose = 'card' and w.state = 'queued')`,
        )
        .execute();
      await tx
        .updateTable('notifications')
        .set({ state: 'queued', due_at: nowMs, lease_until: null })
        .where('state', '=', 'sending')
        .execute();
    },

    /** When the next row can be claimed, ms since 1970; null when nothing waits. May be in the past. */
    async nextDueMs(tx: Tx): Promise<number | null> {
      const row = await tx
        .selectFrom('notifications as n')
        .select(
          sql<number | null>`min(case when n.state = 'sending' then n.lease_until else n.due_at end)`.as(
            'due',
          ),
        )
        .where('n.state', 'in', ['queued', 'sending'])
        .where(isNext())
        .executeTakeFirst();
      return row?.due ?? null;
    },
  };
}

function claimed(tx: Tx, { id, fence }: NotificationClaim) {
  return tx
    .updateTable('notifications')
    .where('id', '=', id)
    .where('fence', '=', fence)
    .where('state', '=', 'sending');
}

function isDue(nowMs: number) {
  return sql<boolean>`((n.state = 'queued' and n.due_at <= ${nowMs}) or (n.state = 'sending' and n.lease_until <= ${nowMs}))`;
}

/**
 * True for the oldest unfinished row of its incident and receiver. The resolve of an earlier episode blocks
 * nobody: it has a dedup key of its own, and a new page must not wait behind its retries.
 */
function isNext() {
  return sql<boolean>`not exists (
    select 1 from notifications o
    where o.incident_id = n.incident_id and o.receiver = n.receiver and o.id < n.id
      and o.state in ('queued', 'sending')
      and not (o.purpose = 'page_resolve' and o.episode_id <> n.episode_id))`;
}

function toRow(one: NewNotification): unknown[] {
  return [one.incidentId, one.episodeId, one.receiver, one.purpose, 'queued', one.dueAtMs, one.createdAtMs];
}
