/**
 * Taking notifications to send them, and giving them back. A claim is counted before the attempt is made, so a
 * crash mid-send is not free; what is written under an older fence is refused.
 */

import { sql } from 'kysely';
import { CLIMB_AFTER_MS, type Notification, type NotificationState } from '../domain/notification.js';
import { toNotification } from './notification-row.js';
import { storable } from './storable.js';
import type { Tx } from './tables.js';

/** Names one claim of one notification. */
export type NotificationClaim = { readonly id: number; readonly fence: number };

export type ClaimOptions = {
  readonly nowMs: number;
  readonly leaseMs: number;
  readonly limit: number;
  /** Of these receivers only; of all when absent. */
  readonly receivers?: readonly string[];
  readonly exceptReceivers?: readonly string[];
  /** Rows at most that are anything but the first try of a page; `limit` when absent. */
  readonly limitOfOthers?: number;
  /** Takes what waits for its next try as well: somebody has to ask whether a failing provider is back. */
  readonly early?: boolean;
  /** Rows that are in hand already. */
  readonly exceptIds?: readonly number[];
};

type PutBack = NotificationClaim & { readonly dueAtMs: number; readonly reason: string };

export function createClaimStore() {
  return {
    /**
     * Takes due rows: first tries of pages, then other pages, then what concerns criticals. No row is taken
     * while an older one of its incident and receiver is unfinished, nor a page and a resolve of one episode
     * at the same time.
     */
    async claimDue(tx: Tx, options: ClaimOptions): Promise<Notification[]> {
      const { nowMs, limit, receivers, exceptReceivers = [], exceptIds = [] } = options;
      let due = tx
        .selectFrom('notifications as n')
        .select(['n.id', isFirstTry.as('is_first_try')])
        .where(isUnfinished)
        .where(isDue(nowMs, options.early === true))
        .where(isNext)
        // What waits for its next try may be what fails, so it asks only where nothing else can.
        .orderBy(sql`case when n.due_at <= ${nowMs} then 0 else 1 end`)
        .orderBy(
          sql`case when ${isFirstTry} = 1 then 0 when n.purpose in ('page', 'page_again') then 1 else 2 end`,
        )
        .orderBy(
          sql`(select case when i.severity = 'critical' then 0 else 1 end from incidents i where i.id = n.incident_id)`,
        )
        .orderBy('n.due_at')
        .orderBy('n.id')
        .limit(limit);
      if (receivers !== undefined) due = due.where('n.receiver', 'in', [...receivers]);
      if (exceptReceivers.length > 0) due = due.where('n.receiver', 'not in', [...exceptReceivers]);
      if (exceptIds.length > 0) due = due.where('n.id', 'not in', [...exceptIds]);

      let othersLeft = options.limitOfOthers ?? limit;
      const order = new Map<number, number>();
      for (const row of await due.execute()) {
        if (row.is_first_try === 0 && --othersLeft < 0) continue;
        order.set(row.id, order.size);
      }
      if (order.size === 0) return [];
      const rows = await tx
        .updateTable('notifications')
        .set((eb) => ({
          state: 'sending',
          attempts: eb('attempts', '+', 1),
          fence: eb('fence', '+', 1),
          lease_until: nowMs + options.leaseMs,
          climb_at: sql`case when purpose = 'page' then coalesce(climb_at, ${nowMs + CLIMB_AFTER_MS}) end`,
        }))
        .where('id', 'in', [...order.keys()])
        .returningAll()
        .execute();
      return rows.map(toNotification).sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
    },

    /** Ends a claimed row. False when the claim is no longer the present one; nothing is changed then. */
    async finish(
      tx: Tx,
      result: NotificationClaim & {
        readonly state: Extract<NotificationState, 'sent' | 'dead' | 'dropped'>;
        readonly reason: string | null;
        readonly ref: string | null;
        readonly shadow?: boolean;
        readonly nowMs: number;
      },
    ): Promise<boolean> {
      const done = await claimed(tx, result)
        .set({
          state: result.state,
          last_reason: result.reason === null ? null : storable(result.reason, 500),
          ref: result.ref,
          shadow: result.shadow === true ? 1 : 0,
          lease_until: null,
          finished_at: result.nowMs,
          // A page counts against its ceiling from when it surely was accepted; one that surely was not, never.
          admitted_at: sql`case when admitted_at is null then null
            when ${result.state} = 'sent' or attempts > 1 then ${result.nowMs} end`,
        })
        .executeTakeFirst();
      return done.numUpdatedRows > 0n;
    },

    /** Puts a claimed row back for another try. `isFault`: it could not be drawn. False when the claim is not the present one. */
    retry(tx: Tx, result: PutBack & { readonly isFault?: boolean }): Promise<boolean> {
      return putBack(tx, result, result.isFault === true ? { faults: sql`faults + 1` } : {});
    },

    /** Puts a claimed row back of which nothing was sent: that was no attempt, and its ladder is counted anew. */
    postpone(tx: Tx, result: PutBack): Promise<boolean> {
      return putBack(tx, result, { attempts: sql`attempts - 1`, climb_at: null });
    },

    /** Puts a claimed row back, to be sent in its bare form from now on. */
    makeBare(tx: Tx, result: PutBack): Promise<boolean> {
      return putBack(tx, result, { bare: 1 });
    },

    /**
     * Gives every claim back, for a start after a crash or at shutdown: with one process a file, nobody else
     * holds one. `faults` is what each counts as, since the process may have died over it.
     */
    async releaseLeases(
      tx: Tx,
      { nowMs, faults = 0 }: { readonly nowMs: number; readonly faults?: number },
    ): Promise<void> {
      // An update under way whose successor waits already must not become a second waiting one.
      await tx
        .updateTable('notifications')
        .set({
          state: 'dropped',
          last_reason: 'replaced by a newer update',
          lease_until: null,
          finished_at: nowMs,
        })
        .where('state', '=', 'sending')
        .where('purpose', 'in', ['card', 'page_update'])
        .where(
          sql<boolean>`exists (select 1 from notifications w where w.incident_id = notifications.incident_id
            and w.receiver = notifications.receiver and w.purpose = notifications.purpose and w.state = 'queued')`,
        )
        .execute();
      await tx
        .updateTable('notifications')
        .set((eb) => ({
          state: 'queued',
          due_at: nowMs,
          lease_until: null,
          faults: eb('faults', '+', faults),
        }))
        .where('state', '=', 'sending')
        .execute();
    },

    /** Lets what waits for its next try at these receivers go now. */
    async retryNow(tx: Tx, receivers: readonly string[], nowMs: number): Promise<void> {
      await tx
        .updateTable('notifications')
        .set({ due_at: nowMs })
        .where('receiver', 'in', [...receivers])
        .where(sql<boolean>`state in ('queued', 'sending') and state = 'queued'`)
        .where('attempts', '>', 0)
        .where('due_at', '>', nowMs)
        .execute();
    },

    /** When the next row of these receivers falls due, ms since 1970, after `nowMs`; null when none does. */
    async nextDueMs(tx: Tx, receivers: readonly string[], nowMs: number): Promise<number | null> {
      const row = await tx
        .selectFrom('notifications as n')
        .select((eb) => eb.fn.min<number | null>('n.due_at').as('due'))
        .where('n.receiver', 'in', [...receivers])
        .where(isUnfinished)
        .where('n.due_at', '>', nowMs)
        .executeTakeFirst();
      return row?.due ?? null;
    },
  };
}

/** As text, because an index over part of a table is used only where the query says so literally. */
const isUnfinished = sql<boolean>`n.state in ('queued', 'sending')`;

const isFirstTry = sql<number>`case when n.purpose = 'page' and n.attempts = 0 then 1 else 0 end`;

function isDue(nowMs: number, early: boolean) {
  const waits = early ? sql`(n.due_at <= ${nowMs} or n.attempts > 0)` : sql`n.due_at <= ${nowMs}`;
  return sql<boolean>`((n.state = 'queued' and ${waits}) or (n.state = 'sending' and n.lease_until <= ${nowMs}))`;
}

/** What makes a pager open an incident where it has none. */
const TRIGGERS = sql.raw("'page', 'page_again', 'page_update'");

/**
 * True for the oldest unfinished row of its incident and receiver. The resolve of an earlier episode blocks
 * nobody: it has a dedup key of its own, and a new page must not wait behind its retries. Across receivers a
 * trigger and a resolve of one episode are never under way together, so that none overtakes the other.
 */
const isNext = sql<boolean>`not exists (
    select 1 from notifications o
    where o.incident_id = n.incident_id and o.receiver = n.receiver and o.id < n.id
      and o.state in ('queued', 'sending')
      and not (o.purpose = 'page_resolve' and o.episode_id <> n.episode_id))
  and not exists (
    select 1 from notifications u
    where u.incident_id = n.incident_id and u.episode_id = n.episode_id and u.state = 'sending' and u.id <> n.id
      and ((n.purpose in (${TRIGGERS}) and u.purpose = 'page_resolve')
        or (n.purpose = 'page_resolve' and u.purpose in (${TRIGGERS}))))`;

function claimed(tx: Tx, { id, fence }: NotificationClaim) {
  return tx
    .updateTable('notifications')
    .where('id', '=', id)
    .where('fence', '=', fence)
    .where('state', '=', 'sending');
}

async function putBack(tx: Tx, result: PutBack, also: Record<string, unknown>): Promise<boolean> {
  if (await hasSuccessor(tx, result)) {
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
      ...also,
    })
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

/** An update that was asked for anew while this one was under way replaces it: only one may wait, and not for less. */
async function hasSuccessor(tx: Tx, { id, dueAtMs }: PutBack): Promise<boolean> {
  const waiting = await tx
    .selectFrom('notifications as n')
    .innerJoin('notifications as mine', (join) =>
      join
        .onRef('mine.incident_id', '=', 'n.incident_id')
        .onRef('mine.receiver', '=', 'n.receiver')
        .on('mine.id', '=', id),
    )
    .select('n.id')
    .where('mine.purpose', 'in', ['card', 'page_update'])
    .whereRef('n.purpose', '=', 'mine.purpose')
    .where('n.state', '=', 'queued')
    .executeTakeFirst();
  if (waiting === undefined) return false;
  await tx
    .updateTable('notifications')
    .set({ due_at: sql`case when due_at < ${dueAtMs} then ${dueAtMs} else due_at end` })
    .where('id', '=', waiting.id)
    .execute();
  return true;
}
