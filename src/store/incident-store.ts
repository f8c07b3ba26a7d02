/** Incidents and their episodes, in bulk for intake and one by one for people. */

import { sql } from 'kysely';
import { type Cycle, cyclesToText } from '../domain/cycles.js';
import type { Incident, IncidentFlags, Silence } from '../domain/incident.js';
import type { Scope } from '../domain/scope.js';
import type { Severity } from '../domain/severity.js';
import { type SureVerdict, sureVerdictToText } from '../domain/sure-verdict.js';
import { bulkStatement, listStatement, placeholderRows } from './bulk.js';
import { createEpisodeStore } from './episode-store.js';
import { createFlappingStore } from './flapping-store.js';
import { labelsToText, toIncident } from './incident-rows.js';
import { createKnownIncidentStore } from './known-incident-store.js';
import { inInsertOrder } from './receipt-store.js';
import { storable } from './storable.js';
import type { Tx } from './tables.js';

export type { EpisodeFacts, NewEpisode } from './episode-store.js';

export type NewIncident = {
  readonly source: string;
  readonly alertName: string;
  readonly alertKey: string;
  readonly severity: Severity;
  readonly severityNote: string | null;
  readonly scope: Scope;
  /** See domain/storm.ts. */
  readonly cluster: string;
  readonly cycles: readonly Cycle[];
  readonly stormId: number | null;
  readonly inStorm: boolean;
  readonly openedAtMs: number;
};

/** The columns of an incident that change. `undefined` leaves one as it is; `revision` always goes up by one. */
export type IncidentChange = Partial<
  Pick<
    Incident,
    | 'alertName'
    | 'alertKey'
    | 'severity'
    | 'severityNote'
    | 'state'
    | 'episodeId'
    | 'acknowledgedAtMs'
    | 'acknowledgedBy'
    | 'resolvedAtMs'
    | 'resolvedBy'
    | 'reopenedCount'
    | 'foldedInto'
    | 'sureVerdict'
    | 'cycles'
  >
> & {
  /** `silenced` follows `silence`. */
  readonly flags?: Partial<Omit<IncidentFlags, 'silenced'>>;
  readonly silence?: Silence | null;
};

const INCIDENT_COLUMNS = [
  'source',
  'alert_name',
  'alert_key',
  'severity',
  'severity_note',
  'scope',
  'cluster',
  'cycles',
  'storm_id',
  'in_storm',
  'state',
  'opened_at',
] as const;
const insertIncidentRows = bulkStatement((tx, count) =>
  tx
    .insertInto('incidents')
    .values(placeholderRows('incidents', INCIDENT_COLUMNS, count))
    .returning('id')
    .compile(),
);

const NAME_COLUMNS = ['incident_id', 'name'] as const;
const insertNameRows = bulkStatement((tx, count) =>
  tx
    .insertInto('incident_names')
    .values(placeholderRows('incident_names', NAME_COLUMNS, count))
    .onConflict((conflict) => conflict.doNothing())
    .compile(),
);

const selectByIds = listStatement((tx, ids) =>
  tx.selectFrom('incidents').selectAll().where('id', 'in', ids).compile(),
);

const bumpRevisions = listStatement((tx, ids) =>
  tx.updateTable('incidents').set({ revision: sql`revision + 1` }).where('id', 'in', ids).compile(),
);

export type IncidentStore = ReturnType<typeof createIncidentStore>;

export function createIncidentStore() {
  return {
    ...createEpisodeStore(),
    ...createFlappingStore(),
    ...createKnownIncidentStore(),

    /** These incidents, in no particular order. */
    async findIncidents(tx: Tx, ids: readonly number[]): Promise<Incident[]> {
      const rows = await selectByIds.run(tx, ids);
      return [...new Map(rows.map((row) => [row.id, toIncident(row)])).values()];
    },

    /** Stores new open incidents and returns their ids in the same order. Each still needs its first episode. */
    async insertIncidents(tx: Tx, incidents: readonly NewIncident[]): Promise<number[]> {
      const rows = await insertIncidentRows.run(
        tx,
        incidents.map((one) => [
          one.source,
          storable(one.alertName, 1000),
          one.alertKey,
          one.severity,
          one.severityNote === null ? null : storable(one.severityNote, 200),
          labelsToText(one.scope),
          storable(one.cluster, 200),
          cyclesToText(one.cycles),
          one.stormId,
          one.inStorm ? 1 : 0,
          'open',
          one.openedAtMs,
        ]),
      );
      return inInsertOrder(rows);
    },

    /** Remembers which alert names are part of which incident. */
    async addNames(
      tx: Tx,
      names: readonly { readonly incidentId: number; readonly name: string }[],
    ): Promise<void> {
      await insertNameRows.run(
        tx,
        names.map((one) => [one.incidentId, storable(one.name, 1000)]),
      );
    },

    /** Counts a visible change of incidents whose own columns stay as they are. */
    async countChanges(tx: Tx, ids: readonly number[]): Promise<void> {
      await bumpRevisions.run(tx, ids);
    },

    /** Keeps what the cause explains that was found in the present episode. No change that a reader sees. */
    async setSureVerdict(tx: Tx, incidentId: number, verdict: SureVerdict | null): Promise<void> {
      await tx
        .updateTable('incidents')
        .set({ sure_verdict: sureVerdictToText(verdict) })
        .where('id', '=', incidentId)
        .execute();
    },

    /** Changes an incident and counts the change. */
    async changeIncident(tx: Tx, incidentId: number, change: IncidentChange): Promise<void> {
      await tx
        .updateTable('incidents')
        .set((eb) => ({
          revision: eb('revision', '+', 1),
          alert_name: change.alertName === undefined ? undefined : storable(change.alertName, 1000),
          alert_key: change.alertKey,
          severity: change.severity,
          severity_note: change.severityNote,
          state: change.state,
          episode_id: change.episodeId,
          acknowledged_at: change.acknowledgedAtMs,
          acknowledged_by: change.acknowledgedBy,
          resolved_at: change.resolvedAtMs,
          resolved_by: change.resolvedBy,
          reopened_count: change.reopenedCount,
          folded_into: change.foldedInto,
          sure_verdict: change.sureVerdict === undefined ? undefined : sureVerdictToText(change.sureVerdict),
          cycles: change.cycles === undefined ? undefined : cyclesToText(change.cycles),
          ...silenceColumns(change.silence),
          recovering: bit(change.flags?.recovering),
          flapping: bit(change.flags?.flapping),
          in_storm: bit(change.flags?.inStorm),
        }))
        .where('id', '=', incidentId)
        .execute();
    },
  };
}

function silenceColumns(silence: Silence | null | undefined) {
  if (silence === undefined) return {};
  return {
    silenced: silence === null ? (0 as const) : (1 as const),
    silenced_by: silence === null ? null : storable(silence.by, 200),
    silenced_until: silence?.untilMs ?? null,
    silence_comment: silence === null ? null : storable(silence.comment, 1000),
  };
}

function bit(flag: boolean | undefined): 0 | 1 | undefined {
  return flag === undefined ? undefined : flag ? 1 : 0;
}
