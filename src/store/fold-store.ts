/** What folding one incident into another, and taking them apart again, reads and moves. */

import { sql } from 'kysely';
import type { Incident } from '../domain/incident.js';
import type { IncidentAlert } from '../domain/incident-view.js';
import type { NotificationState } from '../domain/notification.js';
import { toIncident, toIncidentAlert } from './incident-rows.js';
import { storable } from './storable.js';
import type { Tx } from './tables.js';

/** Where somebody was, or is to be, woken for the present firing period of an incident. */
export type PageStanding = {
  readonly incidentId: number;
  readonly receiver: string;
  readonly state: NotificationState;
};

export type FoldStore = ReturnType<typeof createFoldStore>;

export function createFoldStore() {
  return {
    /**
     * Other unresolved problems that may be of the same place: of one source, and of one of these clusters where any
     * is given (see domain/storm.ts). Null when there are more than `limit`: nobody can tell then which is whose.
     */
    async standingNear(
      tx: Tx,
      asked: {
        readonly incident: Incident;
        readonly clusters: readonly string[] | null;
        readonly limit: number;
      },
    ): Promise<Incident[] | null> {
      const { incident, clusters, limit } = asked;
      let query = tx
        .selectFrom('incidents')
        .selectAll()
        .where(sql<boolean>`state <> 'resolved'`)
        .where('kind', '=', 'problem')
        .where('source', '=', incident.source)
        .where('id', '<>', incident.id)
        .orderBy('id')
        .limit(limit + 1);
      if (clusters !== null) query = query.where('cluster', 'in', clusters);
      const rows = await query.execute();
      return rows.length > limit ? null : rows.map(toIncident);
    },

    /** The alerts that fire in an incident, first seen first. */
    async firingAlerts(tx: Tx, incidentId: number): Promise<IncidentAlert[]> {
      const rows = await tx
        .selectFrom('incident_alerts')
        .selectAll()
        .where('incident_id', '=', incidentId)
        .where('status', '=', 'firing')
        .orderBy('first_seen_at')
        .orderBy('id')
        .execute();
      return rows.map(toIncidentAlert);
    },

    /** The names of the alerts that fire in each of these incidents. Incidents without any are absent. */
    async firingNames(tx: Tx, incidentIds: readonly number[]): Promise<Map<number, string[]>> {
      const names = new Map<number, string[]>();
      if (incidentIds.length === 0) return names;
      const rows = await tx
        .selectFrom('incident_alerts')
        .select(['incident_id', 'name'])
        .distinct()
        .where('incident_id', 'in', incidentIds)
        .where('status', '=', 'firing')
        .execute();
      for (const row of rows) names.set(row.incident_id, [...(names.get(row.incident_id) ?? []), row.name]);
      return names;
    },

    /** The pages of the present firing periods of these incidents, whatever became of them. */
    async pagesOf(tx: Tx, incidentIds: readonly number[]): Promise<PageStanding[]> {
      if (incidentIds.length === 0) return [];
      const rows = await tx
        .selectFrom('notifications as n')
        .innerJoin('incidents as i', (join) =>
          join.onRef('i.id', '=', 'n.incident_id').onRef('i.episode_id', '=', 'n.episode_id'),
        )
        .select(['n.incident_id', 'n.receiver', 'n.state'])
        .where('n.incident_id', 'in', incidentIds)
        .where('n.purpose', '=', 'page')
        .orderBy('n.id')
        .execute();
      return rows.map((row) => ({ incidentId: row.incident_id, receiver: row.receiver, state: row.state }));
    },

    /** Lets the alerts that fire in one incident, and all its names, go on in another. Returns how many fire. */
    async moveFiring(
      tx: Tx,
      { fromId, toId }: { readonly fromId: number; readonly toId: number },
    ): Promise<number> {
      // What resolved there earlier fires here: one alert is in an incident once.
      await tx
        .deleteFrom('incident_alerts')
        .where('incident_id', '=', toId)
        .where('alert_key', 'in', (eb) =>
          eb
            .selectFrom('incident_alerts as f')
            .select('f.alert_key')
            .where('f.incident_id', '=', fromId)
            .where('f.status', '=', 'firing'),
        )
        .execute();
      const moved = await tx
        .updateTable('incident_alerts')
        .set({ incident_id: toId })
        .where('incident_id', '=', fromId)
        .where('status', '=', 'firing')
        .executeTakeFirst();
      await tx
        .insertInto('incident_names')
        .columns(['incident_id', 'name'])
        .expression((eb) =>
          eb
            .selectFrom('incident_names')
            .select([eb.val(toId).as('incident_id'), 'name'])
            .where('incident_id', '=', fromId),
        )
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return Number(moved.numUpdatedRows);
    },

    /** Takes alerts out of an incident, and the names that only they had there. */
    async removeAlerts(
      tx: Tx,
      {
        incidentId,
        alertKeys,
        names,
      }: {
        readonly incidentId: number;
        readonly alertKeys: readonly string[];
        readonly names: readonly string[];
      },
    ): Promise<void> {
      await tx
        .deleteFrom('incident_alerts')
        .where('incident_id', '=', incidentId)
        .where('alert_key', 'in', alertKeys)
        .execute();
      await tx
        .deleteFrom('incident_names')
        .where('incident_id', '=', incidentId)
        .where(
          'name',
          'in',
          names.map((name) => storable(name, 1000)),
        )
        .execute();
    },

    /** Drops what an incident was about to say as if it went on: pages, late verdicts, and a card that nobody saw. */
    async dropWaiting(
      tx: Tx,
      dropped: { readonly incidentId: number; readonly reason: string; readonly nowMs: number },
    ): Promise<void> {
      await tx
        .updateTable('notifications')
        .set({ state: 'dropped', last_reason: storable(dropped.reason, 500), finished_at: dropped.nowMs })
        .where('incident_id', '=', dropped.incidentId)
        .where('state', 'in', ['queued', 'withheld'])
        .where(
          sql<boolean>`(purpose in ('page', 'page_update', 'page_acknowledge', 'verdict_reply') or (purpose = 'card'
            and not exists (select 1 from cards c where c.incident_id = notifications.incident_id and c.receiver = notifications.receiver)))`,
        )
        .execute();
    },
  };
}
