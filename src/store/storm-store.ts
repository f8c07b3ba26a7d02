/** Storms: which clusters have one, and who came with it. */

import { sql } from 'kysely';
import type { IncidentState } from '../domain/incident.js';
import type { Severity } from '../domain/severity.js';
import type { Tx } from './tables.js';

/** A storm that is on, with its umbrella. */
export type OpenStorm = {
  readonly incidentId: number;
  readonly episodeId: number;
  readonly cluster: string;
  readonly lastOpenedAtMs: number;
  readonly severity: Severity;
  readonly state: IncidentState;
};

export type StormStore = ReturnType<typeof createStormStore>;

export function createStormStore() {
  return {
    /** Every storm that is on. */
    async openStorms(tx: Tx): Promise<OpenStorm[]> {
      const rows = await tx
        .selectFrom('storms as s')
        .innerJoin('incidents as i', 'i.id', 's.incident_id')
        .select(['s.incident_id', 's.cluster', 's.last_opened_at', 'i.episode_id', 'i.severity', 'i.state'])
        .where('s.ended_at', 'is', null)
        .execute();
      return rows.map((row) => ({
        incidentId: row.incident_id,
        episodeId: row.episode_id,
        cluster: row.cluster,
        lastOpenedAtMs: row.last_opened_at,
        severity: row.severity,
        state: row.state,
      }));
    },

    async isStormOn(tx: Tx, incidentId: number): Promise<boolean> {
      const row = await tx
        .selectFrom('storms')
        .select('incident_id')
        .where('incident_id', '=', incidentId)
        .where('ended_at', 'is', null)
        .executeTakeFirst();
      return row !== undefined;
    },

    /** How many problems, infos apart, were opened in a cluster after `sinceMs`. */
    async countOpened(tx: Tx, cluster: string, sinceMs: number): Promise<number> {
      const row = await tx
        .selectFrom('incidents')
        .select((eb) => eb.fn.countAll<number>().as('n'))
        .where('opened_at', '>', sinceMs)
        .where('cluster', '=', cluster)
        .where('kind', '=', 'problem')
        .where('severity', '<>', 'info')
        .executeTakeFirstOrThrow();
      return row.n;
    },

    /** Begins a storm under its umbrella, and takes in what was opened in its cluster after `sinceMs`. Returns how many. */
    async beginStorm(
      tx: Tx,
      storm: {
        readonly incidentId: number;
        readonly cluster: string;
        readonly sinceMs: number;
        readonly nowMs: number;
      },
    ): Promise<number> {
      const { incidentId, cluster, nowMs } = storm;
      await tx
        .insertInto('storms')
        .values({
          incident_id: incidentId,
          cluster,
          started_at: nowMs,
          last_opened_at: nowMs,
          ended_at: null,
        })
        .execute();
      const taken = await tx
        .updateTable('incidents')
        .set((eb) => ({ storm_id: incidentId, in_storm: 1, revision: eb('revision', '+', 1) }))
        .where('opened_at', '>', storm.sinceMs)
        .where('cluster', '=', cluster)
        .where('kind', '=', 'problem')
        .where('severity', '<>', 'info')
        .executeTakeFirst();
      // Their pages that nobody was offered yet wait for the umbrella's.
      await tx
        .updateTable('notifications')
        .set({ state: 'withheld', umbrella_id: incidentId, last_reason: `INC-${incidentId} speaks for it` })
        .where(sql<boolean>`state in ('queued', 'sending') and state = 'queued'`)
        .where('purpose', '=', 'page')
        .where('attempts', '=', 0)
        .where('admitted_at', 'is', null)
        .where('incident_id', 'in', (eb) =>
          eb
            .selectFrom('incidents')
            .select('id')
            .where('storm_id', '=', incidentId)
            .where('storm_id', 'is not', null),
        )
        .execute();
      return Number(taken.numUpdatedRows);
    },

    /** Another incident was opened in a storm. */
    async prolongStorm(tx: Tx, incidentId: number, nowMs: number): Promise<void> {
      await tx
        .updateTable('storms')
        .set({ last_opened_at: nowMs })
        .where('incident_id', '=', incidentId)
        .execute();
    },

    /** A storm is over: what came with it lives on by itself. */
    async endStorm(tx: Tx, incidentId: number, nowMs: number): Promise<void> {
      await tx.updateTable('storms').set({ ended_at: nowMs }).where('incident_id', '=', incidentId).execute();
      await tx
        .updateTable('incidents')
        .set((eb) => ({ in_storm: 0, revision: eb('revision', '+', 1) }))
        .where('storm_id', '=', incidentId)
        .where('storm_id', 'is not', null)
        .where('in_storm', '=', 1)
        .execute();
    },

    /** To whom pages and cards of a storm's incidents wait to go. */
    async withheldReceivers(
      tx: Tx,
      incidentId: number,
    ): Promise<{ readonly receiver: string; readonly purpose: 'page' | 'card' }[]> {
      const rows = await tx
        .selectFrom('notifications')
        .select(['receiver', 'purpose'])
        .distinct()
        .where('umbrella_id', '=', incidentId)
        .where('umbrella_id', 'is not', null)
        .where('state', '=', 'withheld')
        .execute();
      return rows.flatMap(({ receiver, purpose }) =>
        purpose === 'page' || purpose === 'card' ? [{ receiver, purpose }] : [],
      );
    },

    /**
     * The cards that a storm withheld: those of incidents that still stand are drawn now, if there are at most
     * `limit`; the others never, the umbrella's card having named them. Returns how many are drawn.
     */
    async releaseCards(
      tx: Tx,
      released: { readonly incidentId: number; readonly limit: number; readonly nowMs: number },
    ): Promise<number> {
      const { incidentId, limit, nowMs } = released;
      const waiting = () =>
        tx
          .selectFrom('notifications as n')
          .innerJoin('incidents as i', 'i.id', 'n.incident_id')
          .select('n.id')
          .where('n.umbrella_id', '=', incidentId)
          .where('n.umbrella_id', 'is not', null)
          .where('n.state', '=', 'withheld')
          .where('n.purpose', '=', 'card')
          .where('i.state', '<>', 'resolved');
      const standing = (
        await waiting()
          .limit(limit + 1)
          .execute()
      ).map((row) => row.id);
      const drawn = standing.length > limit ? [] : standing;
      if (drawn.length > 0) {
        await tx
          .updateTable('notifications')
          .set({ state: 'queued', due_at: nowMs, umbrella_id: null, last_reason: null })
          .where('id', 'in', drawn)
          .execute();
      }
      await tx
        .updateTable('notifications')
        .set({
          state: 'dropped',
          finished_at: nowMs,
          last_reason: `the card of INC-${incidentId} named it`,
        })
        .where('umbrella_id', '=', incidentId)
        .where('umbrella_id', 'is not', null)
        .where('state', '=', 'withheld')
        .where('purpose', '=', 'card')
        .execute();
      return drawn.length;
    },
  };
}
