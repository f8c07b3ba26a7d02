/** Alerts inside incidents, in bulk. */

import { sql } from 'kysely';
import type { Alert, AlertStatus } from '../domain/alert.js';
import type { IncidentState } from '../domain/incident.js';
import type { Severity } from '../domain/severity.js';
import { bulkStatement, listStatement, placeholderRows } from './bulk.js';
import { labelsToText } from './incident-rows.js';
import { storable } from './storable.js';
import type { Tx } from './tables.js';

/** An alert that an incident, open or resolved lately, has already. */
export type KnownAlert = {
  readonly id: number;
  readonly incidentId: number;
  readonly alertKey: string;
  readonly name: string;
  readonly status: AlertStatus;
  readonly severity: Severity;
  readonly startsAtMs: number | null;
  readonly endsAtMs: number | null;
  readonly lastSeenAtMs: number;
  readonly incidentState: IncidentState;
};

export type AlertWrite = { readonly incidentId: number; readonly alert: Alert; readonly seenAtMs: number };

const COLUMNS = [
  'incident_id',
  'alert_key',
  'fingerprint',
  'name',
  'status',
  'severity',
  'labels',
  'annotations',
  'starts_at',
  'ends_at',
  'generator_url',
  'expression',
  'first_seen_at',
  'last_seen_at',
] as const;

/** A resolved alert often comes without link and annotations; what was known is then kept. */
const upsertAlerts = bulkStatement((tx, count) =>
  tx
    .insertInto('incident_alerts')
    .values(placeholderRows('incident_alerts', COLUMNS, count))
    .onConflict((conflict) =>
      conflict.columns(['incident_id', 'alert_key']).doUpdateSet({
        status: sql`excluded.status`,
        severity: sql`excluded.severity`,
        annotations: sql`case when excluded.annotations = '{}' then incident_alerts.annotations else excluded.annotations end`,
        starts_at: sql`coalesce(excluded.starts_at, incident_alerts.starts_at)`,
        ends_at: sql`excluded.ends_at`,
        generator_url: sql`coalesce(excluded.generator_url, incident_alerts.generator_url)`,
        expression: sql`coalesce(excluded.expression, incident_alerts.expression)`,
        last_seen_at: sql`excluded.last_seen_at`,
        // What Alertmanager said was about the firing period before.
        upstream: sql`case when incident_alerts.status = excluded.status then incident_alerts.upstream end`,
        upstream_because: sql`case when incident_alerts.status = excluded.status then incident_alerts.upstream_because end`,
      }),
    )
    .compile(),
);

const selectKnown = listStatement((tx, keys) =>
  tx
    .selectFrom('incident_alerts as a')
    .innerJoin('incidents as i', 'i.id', 'a.incident_id')
    .select([
      'a.id',
      'a.incident_id',
      'a.alert_key',
      'a.name',
      'a.status',
      'a.severity',
      'a.starts_at',
      'a.ends_at',
      'a.last_seen_at',
      'i.state',
    ])
    .where('a.alert_key', 'in', keys)
    // The alerts that still fired went on to where it was folded.
    .where(sql<boolean>`(i.state <> 'resolved' or (i.resolved_at >= ${0} and i.folded_into is null))`)
    .compile(),
);

const selectFiring = listStatement((tx, incidentIds) =>
  tx
    .selectFrom('incident_alerts')
    .select((eb) => ['incident_id', eb.fn.countAll<number>().as('n')])
    .where('incident_id', 'in', incidentIds)
    .where('status', '=', sql.lit('firing'))
    .groupBy('incident_id')
    .compile(),
);

const touch = listStatement((tx, ids) =>
  tx.updateTable('incident_alerts').set({ last_seen_at: 0 }).where('id', 'in', ids).compile(),
);

export type AlertStore = ReturnType<typeof createAlertStore>;

export function createAlertStore() {
  return {
    /** Where these alerts are known: in incidents that are not resolved, or resolved at or after `resolvedSinceMs`. */
    async findKnownAlerts(
      tx: Tx,
      alertKeys: readonly string[],
      resolvedSinceMs: number,
    ): Promise<KnownAlert[]> {
      const rows = await selectKnown.run(tx, alertKeys, [], [resolvedSinceMs]);
      return rows.map((row) => ({
        id: row.id,
        incidentId: row.incident_id,
        alertKey: row.alert_key,
        name: row.name,
        status: row.status,
        severity: row.severity,
        startsAtMs: row.starts_at,
        endsAtMs: row.ends_at,
        lastSeenAtMs: row.last_seen_at,
        incidentState: row.state,
      }));
    },

    /** How many alerts of each incident fire. Incidents without any are absent. */
    async firingCounts(tx: Tx, incidentIds: readonly number[]): Promise<Map<number, number>> {
      const rows = await selectFiring.run(tx, incidentIds);
      return new Map(rows.map((row) => [row.incident_id, row.n]));
    },

    /** Adds alerts to incidents, or changes those that are there. */
    async saveAlerts(tx: Tx, writes: readonly AlertWrite[]): Promise<void> {
      await upsertAlerts.run(
        tx,
        writes.map(({ incidentId, alert, seenAtMs }) => [
          incidentId,
          alert.alertKey,
          alert.fingerprint === null ? null : storable(alert.fingerprint, 64),
          storable(alert.name, 1000),
          alert.status,
          alert.severity,
          labelsToText(alert.labels),
          labelsToText(alert.annotations),
          alert.startsAtMs,
          alert.endsAtMs,
          alert.generatorUrl === null ? null : storable(alert.generatorUrl, 16_384),
          alert.expression === null ? null : storable(alert.expression, 16_384),
          seenAtMs,
          seenAtMs,
        ]),
      );
    },

    /** Notes that alerts were delivered again with nothing new. */
    async touchAlerts(tx: Tx, ids: readonly number[], seenAtMs: number): Promise<void> {
      await touch.run(tx, ids, [seenAtMs]);
    },
  };
}
