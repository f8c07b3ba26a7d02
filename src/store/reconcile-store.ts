/** What of ours is compared with Alertmanager, and what it said. */

import { sql } from 'kysely';
import type { IncidentState } from '../domain/incident.js';
import type { IncidentAlert, Upstream } from '../domain/incident-view.js';
import type { Labels } from '../domain/labels.js';
import type { Severity } from '../domain/severity.js';
import { listSlices } from './bulk.js';
import { labelsFromText, toIncidentAlert } from './incident-rows.js';
import { storable } from './storable.js';
import type { Tx } from './tables.js';

/** An alert that fires, as far as we know, in an incident that is not resolved. */
export type FiringAlert = {
  readonly id: number;
  readonly incidentId: number;
  readonly alertKey: string;
  readonly name: string;
  readonly severity: Severity;
  readonly startsAtMs: number | null;
  readonly lastSeenAtMs: number;
  readonly upstream: Upstream | null;
};

export type UpstreamChange = { readonly id: number; readonly upstream: Upstream };

export type ReconcileStore = ReturnType<typeof createReconcileStore>;

export function createReconcileStore() {
  return {
    /** Every firing alert of the unresolved incidents of a source. */
    async firingAlerts(tx: Tx, source: string): Promise<FiringAlert[]> {
      const rows = await tx
        .selectFrom('incident_alerts as a')
        .innerJoin('incidents as i', 'i.id', 'a.incident_id')
        .select([
          'a.id',
          'a.incident_id',
          'a.alert_key',
          'a.name',
          'a.severity',
          'a.starts_at',
          'a.last_seen_at',
          'a.upstream',
          'a.upstream_because',
        ])
        .where('i.source', '=', source)
        .where('i.state', 'in', ['open', 'acknowledged'])
        .where('a.status', '=', 'firing')
        .orderBy('a.id')
        .execute();
      return rows.map((row) => ({
        id: row.id,
        incidentId: row.incident_id,
        alertKey: row.alert_key,
        name: row.name,
        severity: row.severity,
        startsAtMs: row.starts_at,
        lastSeenAtMs: row.last_seen_at,
        upstream: row.upstream === null ? null : { state: row.upstream, because: row.upstream_because },
      }));
    },

    /** Notes what Alertmanager says of alerts; equal notes are written together. */
    async saveUpstream(tx: Tx, changes: readonly UpstreamChange[]): Promise<void> {
      const ids = new Map<string, { readonly upstream: Upstream; readonly ids: number[] }>();
      for (const { id, upstream } of changes) {
        const key = JSON.stringify(upstream);
        const same = ids.get(key);
        if (same === undefined) ids.set(key, { upstream, ids: [id] });
        else same.ids.push(id);
      }
      for (const { upstream, ids: alike } of ids.values()) {
        for (const slice of listSlices(alike)) {
          await tx
            .updateTable('incident_alerts')
            .set({
              upstream: upstream.state,
              upstream_because: upstream.because === null ? null : storable(upstream.because, 1000),
            })
            .where('id', 'in', slice)
            .execute();
        }
      }
    },

    /** Withdraws pages of an episode that wait: another takes their place, which must not queue behind them. */
    async dropWaitingPages(
      tx: Tx,
      options: { readonly episodeId: number; readonly reason: string; readonly nowMs: number },
    ): Promise<void> {
      await tx
        .updateTable('notifications')
        .set({ state: 'dropped', last_reason: storable(options.reason, 500), finished_at: options.nowMs })
        .where('episode_id', '=', options.episodeId)
        .where('purpose', '=', 'page')
        .where('state', '=', 'queued')
        .execute();
    },

    /** These alerts as they are stored, by the id of their row. */
    async readAlerts(tx: Tx, ids: readonly number[]): Promise<Map<number, IncidentAlert>> {
      const alerts = new Map<number, IncidentAlert>();
      for (const slice of listSlices(ids)) {
        const rows = await tx.selectFrom('incident_alerts').selectAll().where('id', 'in', slice).execute();
        for (const row of rows) alerts.set(row.id, toIncidentAlert(row));
      }
      return alerts;
    },

    /** Incidents that are not over and of which shadow mode kept back the page of the present episode, or the card. */
    async onlyShadowed(tx: Tx): Promise<{ readonly incidentId: number; readonly page: boolean }[]> {
      const rows = await tx
        .selectFrom('incidents as i')
        .select([
          'i.id',
          sql<number>`exists (select 1 from notifications n where n.episode_id = i.episode_id and n.incident_id = i.id
            and n.purpose = 'page' and n.shadow = 1)`.as('page_shadowed'),
          sql<number>`exists (select 1 from notifications n where n.episode_id = i.episode_id and n.incident_id = i.id
            and n.purpose = 'page' and n.shadow = 0)`.as('page_real'),
          sql<number>`exists (select 1 from notifications n where n.incident_id = i.id and n.purpose = 'card'
            and n.shadow = 1)`.as('card_shadowed'),
          sql<number>`exists (select 1 from cards c where c.incident_id = i.id)`.as('card_real'),
        ])
        .where(sql<boolean>`i.state <> 'resolved'`)
        .orderBy('i.id')
        .execute();
      return rows.flatMap((row) => {
        const page = Boolean(row.page_shadowed) && !row.page_real;
        const card = Boolean(row.card_shadowed) && !row.card_real;
        return page || card ? [{ incidentId: row.id, page }] : [];
      });
    },

    /** Incidents that the window of this comment kept quiet since a moment. */
    async keptBackBy(
      tx: Tx,
      comment: string,
      sinceMs: number,
    ): Promise<{ readonly id: number; readonly alertName: string; readonly state: IncidentState }[]> {
      const rows = await tx
        .selectFrom('timeline as t')
        .innerJoin('incidents as i', 'i.id', 't.incident_id')
        .select(['i.id', 'i.alert_name', 'i.state', 't.text'])
        .where('t.kind', '=', 'maintenance')
        .where('t.at', '>=', sinceMs)
        .orderBy('i.id')
        .execute();
      const own = rows.filter((row) => row.text.includes(`"${comment}"`));
      return [
        ...new Map(
          own.map((row) => [row.id, { id: row.id, alertName: row.alert_name, state: row.state }]),
        ).values(),
      ];
    },

    /** The labels of every firing alert of an incident. */
    async firingLabels(tx: Tx, incidentId: number): Promise<Labels[]> {
      const rows = await tx
        .selectFrom('incident_alerts')
        .select('labels')
        .where('incident_id', '=', incidentId)
        .where('status', '=', 'firing')
        .orderBy('first_seen_at')
        .orderBy('id')
        .execute();
      return rows.map((row) => labelsFromText(row.labels));
    },

    /** The firing alert that leads an incident, else its most severe one; null when none fires. */
    async leadAlert(tx: Tx, incidentId: number, alertKey: string): Promise<IncidentAlert | null> {
      const rows = await tx
        .selectFrom('incident_alerts')
        .selectAll()
        .where('incident_id', '=', incidentId)
        .where('status', '=', 'firing')
        .orderBy('first_seen_at')
        .orderBy('id')
        .limit(1000)
        .execute();
      const lead =
        rows.find((row) => row.alert_key === alertKey) ??
        rows.find((row) => row.severity === 'critical') ??
        rows[0];
      return lead === undefined ? null : toIncidentAlert(lead);
    },
  };
}
