/**
 * Things that are due later: durable from the moment they are planned until they took effect or were dropped.
 * Due times are wall time, so that they survive a restart; when the wall clock is stepped they are moved with it.
 */

import { type Selectable, sql } from 'kysely';
import { bulkStatement, placeholderRows } from './bulk.js';
import { createReminderPlan } from './reminder-plan.js';
import { plannedBefore } from './stepped-clock.js';
import { storable } from './storable.js';
import type { TimerKind, TimerState, TimersTable, Tx } from './tables.js';

export type { TimerKind, TimerState } from './tables.js';

export type Timer = {
  readonly id: number;
  /** Null for what is about no incident. */
  readonly incidentId: number | null;
  /** 0 where there is no incident. */
  readonly episodeId: number;
  readonly kind: TimerKind;
  readonly key: string;
  /** As it was planned; whoever fires it knows the shape of its kind. */
  readonly payload: Readonly<Record<string, unknown>>;
  readonly state: TimerState;
  readonly dueAtMs: number;
  /** Counts claims, this one included. */
  readonly attempts: number;
  /** Goes up with every claim and plan; what is written under an older fence is refused. */
  readonly fence: number;
  readonly reason: string | null;
  readonly createdAtMs: number;
};

export type NewTimer = Pick<
  Timer,
  'incidentId' | 'episodeId' | 'kind' | 'key' | 'payload' | 'dueAtMs' | 'createdAtMs'
>;

/** Names one claim of one timer. */
export type TimerClaim = { readonly id: number; readonly fence: number };

const COLUMNS = [
  'incident_id',
  'episode_id',
  'kind',
  'key',
  'payload',
  'state',
  'due_at',
  'created_at',
] as const;

/** One that was dropped is planned anew: what made it unwanted may be over. One that waits or fired stays as it is. */
const insertOfIncidents = bulkStatement((tx, count) =>
  tx
    .insertInto('timers')
    .values(placeholderRows('timers', COLUMNS, count))
    .onConflict((conflict) =>
      conflict
        .columns(['incident_id', 'episode_id', 'kind', 'key'])
        .where('incident_id', 'is not', null)
        .doUpdateSet({
          state: sql`'waiting'`,
          payload: sql`excluded.payload`,
          due_at: sql`excluded.due_at`,
          created_at: sql`excluded.created_at`,
          reason: sql`null`,
          finished_at: sql`null`,
          attempts: sql`0`,
        })
        .where(sql<boolean>`timers.state = 'dropped'`),
    )
    .compile(),
);

export type TimerStore = ReturnType<typeof createTimerStore>;

export function createTimerStore() {
  return {
    ...createReminderPlan(),

    /** Plans timers of incidents. Each stands once by incident, episode, kind and key; planned again it keeps its time. */
    async planTimers(tx: Tx, timers: readonly NewTimer[]): Promise<void> {
      await insertOfIncidents.run(tx, timers.map(toRow));
    },

    /** Plans a timer of no incident, or moves it: from now on it is due at `dueAtMs`, whatever became of it before. */
    async replanTimer(tx: Tx, timer: Omit<NewTimer, 'incidentId' | 'episodeId'>): Promise<void> {
      await tx
        .insertInto('timers')
        .values({
          incident_id: null,
          kind: timer.kind,
          key: timer.key,
          payload: JSON.stringify(timer.payload),
          state: 'waiting',
          due_at: timer.dueAtMs,
          lease_until: null,
          reason: null,
          created_at: timer.createdAtMs,
          finished_at: null,
        })
        .onConflict((conflict) =>
          conflict.columns(['kind', 'key']).where('incident_id', 'is', null).doUpdateSet({
            state: 'waiting',
            payload: sql`excluded.payload`,
            due_at: sql`excluded.due_at`,
            created_at: sql`excluded.created_at`,
            fence: sql`timers.fence + 1`,
            attempts: 0,
            lease_until: null,
            reason: null,
            finished_at: null,
          }),
        )
        .execute();
    },

    /** Takes due timers, longest due first; those whose lease ran out as well. */
    async claimTimers(
      tx: Tx,
      options: { readonly nowMs: number; readonly leaseMs: number; readonly limit: number },
    ): Promise<Timer[]> {
      const rows = await tx
        .updateTable('timers')
        .set((eb) => ({
          state: 'firing',
          attempts: eb('attempts', '+', 1),
          fence: eb('fence', '+', 1),
          lease_until: options.nowMs + options.leaseMs,
        }))
        .where('id', 'in', (eb) =>
          eb
            .selectFrom('timers')
            .select('id')
            .where(isDue(options.nowMs))
            .orderBy('due_at')
            .orderBy('id')
            .limit(options.limit),
        )
        .returningAll()
        .execute();
      return rows.map(toTimer).sort((a, b) => a.dueAtMs - b.dueAtMs || a.id - b.id);
    },

    /** Whether a claim is still the present one: asked first in the transaction that carries the timer out. */
    async isClaimed(tx: Tx, { id, fence }: TimerClaim): Promise<boolean> {
      const row = await tx
        .selectFrom('timers')
        .select('id')
        .where('id', '=', id)
        .where('fence', '=', fence)
        .where('state', '=', 'firing')
        .executeTakeFirst();
      return row !== undefined;
    },

    /** Ends a claimed timer. False when the claim is no longer the present one; nothing is changed then. */
    async finishTimer(
      tx: Tx,
      result: TimerClaim & {
        readonly state: Extract<TimerState, 'fired' | 'dropped'>;
        readonly reason: string | null;
        /** Dropped for now: what speaks against it may pass. */
        readonly mayReturn?: boolean;
        readonly nowMs: number;
      },
    ): Promise<boolean> {
      const done = await claimed(tx, result)
        .set({
          state: result.state,
          reason: result.reason === null ? null : storable(result.reason, 500),
          lease_until: null,
          finished_at: result.nowMs,
          may_return: result.mayReturn === true ? 1 : 0,
        })
        .executeTakeFirst();
      return done.numUpdatedRows > 0n;
    },

    /** Puts a claimed timer back, to be taken again at `dueAtMs`. */
    async postponeTimer(
      tx: Tx,
      result: TimerClaim & { readonly dueAtMs: number; readonly reason: string | null },
    ): Promise<void> {
      await claimed(tx, result)
        .set({
          state: 'waiting',
          due_at: result.dueAtMs,
          reason: result.reason === null ? null : storable(result.reason, 500),
          lease_until: null,
        })
        .execute();
    },

    /**
     * For a start after a crash: gives every claim back (with one process a file, whoever held them is gone), and
     * lets what was planned in the future wait its whole time again, since the clock was wrong then or is now.
     */
    async takeBackTimers(tx: Tx, { nowMs }: { readonly nowMs: number }): Promise<void> {
      await tx
        .updateTable('timers')
        .set({ state: 'waiting', lease_until: null })
        .where('state', '=', 'firing')
        .execute();
      await tx
        .updateTable('timers')
        .set({ due_at: sql`${nowMs} + due_at - created_at`, created_at: nowMs })
        .where('state', '=', 'waiting')
        .where('created_at', '>', nowMs)
        .execute();
    },

    /**
     * Moves what waits by a step of the wall clock, so that as much time is left as before. What was planned after
     * the step knows the new time already and stays: it is told by its id (above `upToId`) and its creation.
     * `steppedMs` is positive when the clock went forward.
     */
    async moveTimers(
      tx: Tx,
      {
        nowMs,
        steppedMs,
        upToId,
      }: { readonly nowMs: number; readonly steppedMs: number; readonly upToId: number },
    ): Promise<void> {
      const ofOldTime = plannedBefore('created_at', nowMs, steppedMs);
      await tx
        .updateTable('timers')
        .set({
          due_at: sql`due_at + ${steppedMs}`,
          created_at: sql`created_at + ${steppedMs}`,
          lease_until: sql`lease_until + ${steppedMs}`,
        })
        .where('state', 'in', ['waiting', 'firing'])
        .where(sql<boolean>`((incident_id is not null and id <= ${upToId}) or ${ofOldTime})`)
        .execute();
    },

    /** The newest timer's id; 0 when there is none. */
    async newestTimerId(tx: Tx): Promise<number> {
      const row = await tx
        .selectFrom('timers')
        .select((eb) => eb.fn.max('id').as('id'))
        .executeTakeFirst();
      return row?.id ?? 0;
    },

    /** Timers of an incident, soonest first. */
    async timersOf(tx: Tx, incidentId: number): Promise<Timer[]> {
      const rows = await tx
        .selectFrom('timers')
        .selectAll()
        .where('incident_id', '=', incidentId)
        .orderBy('due_at')
        .orderBy('id')
        .execute();
      return rows.map(toTimer);
    },
  };
}

function claimed(tx: Tx, { id, fence }: TimerClaim) {
  return tx
    .updateTable('timers')
    .where('id', '=', id)
    .where('fence', '=', fence)
    .where('state', '=', 'firing');
}

function isDue(nowMs: number) {
  return sql<boolean>`((state = 'waiting' and due_at <= ${nowMs}) or (state = 'firing' and lease_until <= ${nowMs}))`;
}

function toRow(timer: NewTimer): unknown[] {
  return [
    timer.incidentId,
    timer.episodeId,
    timer.kind,
    storable(timer.key, 200),
    JSON.stringify(timer.payload),
    'waiting',
    timer.dueAtMs,
    timer.createdAtMs,
  ];
}

function toTimer(row: Selectable<TimersTable>): Timer {
  return {
    id: row.id,
    incidentId: row.incident_id,
    episodeId: row.episode_id,
    kind: row.kind,
    key: row.key,
    payload: JSON.parse(row.payload) as Record<string, unknown>,
    state: row.state,
    dueAtMs: row.due_at,
    attempts: row.attempts,
    fence: row.fence,
    reason: row.reason,
    createdAtMs: row.created_at,
  };
}
