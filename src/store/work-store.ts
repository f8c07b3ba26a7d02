/** Investigations to be made: durable from the moment they are known until they are done. */

import { sql } from 'kysely';
import { bulkStatement, placeholderRows } from './bulk.js';
import { plannedBefore } from './stepped-clock.js';
import type { Tx, WorkTrigger } from './tables.js';

export type { WorkState, WorkTrigger } from './tables.js';

export type Work = {
  readonly id: number;
  readonly incidentId: number;
  readonly episodeId: number;
  readonly trigger: WorkTrigger;
  /** Counts claims, this one included. */
  readonly attempts: number;
  /** Goes up with every claim; what is written under an older fence is refused. */
  readonly fence: number;
  readonly lastError: string | null;
  readonly dueAtMs: number;
  readonly createdAtMs: number;
};

export type NewWork = Pick<Work, 'incidentId' | 'episodeId' | 'trigger' | 'dueAtMs' | 'createdAtMs'>;

/** Names one claim of one piece of work. */
export type WorkClaim = { readonly id: number; readonly fence: number };

const COLUMNS = ['incident_id', 'episode_id', 'trigger', 'state', 'due_at', 'created_at'] as const;

const insertWork = bulkStatement((tx, count) =>
  tx
    .insertInto('work')
    .values(placeholderRows('work', COLUMNS, count))
    .compile(),
);

export type WorkStore = ReturnType<typeof createWorkStore>;

export function createWorkStore() {
  return {
    /** Adds work. A `joined` is left out where a diagnosis of that incident is waiting anyway. */
    async addWork(tx: Tx, items: readonly NewWork[]): Promise<void> {
      const rows: unknown[][] = [];
      for (const item of items) {
        if (item.trigger === 'joined' && (await hasWaiting(tx, item.incidentId))) continue;
        rows.push([item.incidentId, item.episodeId, item.trigger, 'queued', item.dueAtMs, item.createdAtMs]);
      }
      await insertWork.run(tx, rows);
    },

    /** Whether a diagnosis of the incident as it fires waits to be made. */
    isDiagnosisWaiting(tx: Tx, incidentId: number): Promise<boolean> {
      return hasWaiting(tx, incidentId);
    },

    /** Takes the piece that is due longest, or whose lease ran out; null when there is none. */
    async claimWork(
      tx: Tx,
      { nowMs, leaseMs }: { readonly nowMs: number; readonly leaseMs: number },
    ): Promise<Work | null> {
      const row = await tx
        .updateTable('work')
        .set((eb) => ({
          state: 'running',
          attempts: eb('attempts', '+', 1),
          fence: eb('fence', '+', 1),
          lease_until: nowMs + leaseMs,
        }))
        .where('id', '=', (eb) =>
          eb
            .selectFrom('work')
            .select('id')
            .where(dueOrExpired(nowMs))
            .orderBy('due_at')
            .orderBy('id')
            .limit(1),
        )
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) return null;
      return {
        id: row.id,
        incidentId: row.incident_id,
        episodeId: row.episode_id,
        trigger: row.trigger,
        attempts: row.attempts,
        fence: row.fence,
        lastError: row.last_error,
        dueAtMs: row.due_at,
        createdAtMs: row.created_at,
      };
    },

    /** Marks a claimed piece as done. Does nothing under an older fence. */
    async finishWork(tx: Tx, claim: WorkClaim): Promise<void> {
      await claimed(tx, claim).set({ state: 'done', lease_until: null }).execute();
    },

    /** Puts a claimed piece back, to be taken again at `dueAtMs`. */
    async retryWork(
      tx: Tx,
      claim: WorkClaim & { readonly dueAtMs: number; readonly error: string },
    ): Promise<void> {
      await claimed(tx, claim)
        .set({
          state: 'queued',
          due_at: claim.dueAtMs,
          lease_until: null,
          last_error: claim.error.slice(0, 2000),
        })
        .execute();
    },

    /** Sets a claimed piece aside for good: it kills whoever works on it. */
    async quarantineWork(tx: Tx, claim: WorkClaim): Promise<void> {
      await claimed(tx, claim).set({ state: 'quarantined', lease_until: null }).execute();
    },

    /** Withdraws waiting work of a kind that is no longer wanted, such as the check after a resolve that did not hold. */
    async withdrawWork(
      tx: Tx,
      {
        incidentId,
        trigger,
        reason,
      }: { readonly incidentId: number; readonly trigger: WorkTrigger; readonly reason: string },
    ): Promise<void> {
      await tx
        .updateTable('work')
        .set({ state: 'done', last_error: reason })
        .where('incident_id', '=', incidentId)
        .where('trigger', '=', trigger)
        .where('state', '=', 'queued')
        .execute();
    },

    /** Gives every claim back, for a start after a crash: with one process a file, whoever held them is gone. */
    async releaseWork(tx: Tx, { nowMs }: { readonly nowMs: number }): Promise<void> {
      await tx
        .updateTable('work')
        .set({ state: 'queued', due_at: nowMs, lease_until: null })
        .where('state', '=', 'running')
        .execute();
    },

    /** Moves what waits or is under way by a step of the wall clock, so that nothing is muted or taken twice. */
    async moveWork(
      tx: Tx,
      { nowMs, steppedMs }: { readonly nowMs: number; readonly steppedMs: number },
    ): Promise<void> {
      await tx
        .updateTable('work')
        .set({
          due_at: sql`due_at + ${steppedMs}`,
          created_at: sql`created_at + ${steppedMs}`,
          lease_until: sql`lease_until + ${steppedMs}`,
        })
        .where(sql<boolean>`state in ('queued', 'running')`)
        .where(plannedBefore('created_at', nowMs, steppedMs))
        .execute();
    },

    /** When the next piece falls due, ms since 1970; null when nothing waits. */
    async nextWorkDueMs(tx: Tx): Promise<number | null> {
      const row = await tx
        .selectFrom('work')
        .select(
          sql<number | null>`min(case when state = 'running' then lease_until else due_at end)`.as('due'),
        )
        .where('state', 'in', ['queued', 'running'])
        .executeTakeFirst();
      return row?.due ?? null;
    },
  };
}

function claimed(tx: Tx, { id, fence }: WorkClaim) {
  return tx
    .updateTable('work')
    .where('id', '=', id)
    .where('fence', '=', fence)
    .where('state', '=', 'running');
}

function dueOrExpired(nowMs: number) {
  return sql<boolean>`((state = 'queued' and due_at <= ${nowMs}) or (state = 'running' and lease_until <= ${nowMs}))`;
}

async function hasWaiting(tx: Tx, incidentId: number): Promise<boolean> {
  const row = await tx
    .selectFrom('work')
    .select('id')
    .where('incident_id', '=', incidentId)
    .where('state', '=', 'queued')
    .where('trigger', 'in', ['opened', 'joined', 'asked'])
    .executeTakeFirst();
  return row !== undefined;
}
