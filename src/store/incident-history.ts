/** Reads for screens and the API: the list of incidents, newest first, and what belongs to one. */

import { sql } from 'kysely';
import { AppError } from '../domain/errors.js';
import { type Incident, type IncidentState, parsePublicId } from '../domain/incident.js';
import type { Severity } from '../domain/severity.js';
import type { TimelineEntry } from '../domain/timeline.js';
import type { Confidence, Diagnosis, Verdict } from '../domain/verdict.js';
import { createDiagnosisStore, type StoredRecording } from './diagnosis-store.js';
import { toIncident } from './incident-rows.js';
import type { Tx } from './tables.js';
import { createTimelineStore } from './timeline-store.js';

export type IncidentListItem = Incident & {
  readonly alertCount: number;
  readonly firingCount: number;
  /** From the newest diagnosis made while firing; null while there is none. */
  readonly verdictShort: string | null;
  readonly verdictSays: string | null;
  readonly confidence: Confidence | null;
};

export type IncidentFilter = {
  readonly state?: IncidentState | readonly IncidentState[] | undefined;
  readonly severity?: Severity | undefined;
  readonly alertName?: string | undefined;
  /** Words found in name, scope, id or verdict, whatever their case. */
  readonly q?: string | undefined;
  /** 1–500. */
  readonly limit: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
};

const diagnosisStore = createDiagnosisStore();
const timelineStore = createTimelineStore();

/** One page of incidents, newest first. Throws AppError `bad_request` for a cursor that is not one of ours. */
export async function listIncidents(
  tx: Tx,
  filter: IncidentFilter,
): Promise<{ readonly items: IncidentListItem[]; readonly nextCursor: string | null }> {
  const limit = Math.max(1, Math.min(500, Math.trunc(filter.limit)));
  let query = tx
    .selectFrom('incidents')
    .selectAll()
    .select((eb) => [
      eb
        .selectFrom('incident_alerts')
        .select(eb.fn.countAll<number>().as('n'))
        .whereRef('incident_alerts.incident_id', '=', 'incidents.id')
        .as('alert_count'),
      eb
        .selectFrom('incident_alerts')
        .select(eb.fn.countAll<number>().as('n'))
        .whereRef('incident_alerts.incident_id', '=', 'incidents.id')
        .where('incident_alerts.status', '=', 'firing')
        .as('firing_count'),
      eb
        .selectFrom('diagnoses')
        .select('verdict')
        .whereRef('diagnoses.incident_id', '=', 'incidents.id')
        .where('diagnoses.trigger', '<>', 'resolved')
        .orderBy('diagnoses.id', 'desc')
        .limit(1)
        .as('verdict'),
    ])
    // A bundle is how pages were sent, and no problem of its own.
    .where('kind', '<>', 'bundle')
    .orderBy('opened_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1);

  if (filter.state !== undefined) {
    query = query.where('state', 'in', typeof filter.state === 'string' ? [filter.state] : [...filter.state]);
  }
  if (filter.severity !== undefined) query = query.where('severity', '=', filter.severity);
  if (filter.alertName !== undefined) query = query.where('alert_name', '=', filter.alertName);
  if (filter.q !== undefined && filter.q.trim() !== '') query = query.where(textSearch(filter.q.trim()));
  if (filter.cursor !== undefined) {
    const { openedAtMs, id } = readCursor(filter.cursor);
    query = query.where((eb) =>
      eb.or([
        eb('opened_at', '<', openedAtMs),
        eb.and([eb('opened_at', '=', openedAtMs), eb('id', '<', id)]),
      ]),
    );
  }

  const rows = await query.execute();
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map((row) => {
      const verdict = row.verdict === null ? null : (JSON.parse(row.verdict) as Verdict);
      return {
        ...toIncident(row),
        alertCount: row.alert_count ?? 0,
        firingCount: row.firing_count ?? 0,
        verdictShort: verdict?.short ?? null,
        verdictSays: verdict?.says ?? null,
        confidence: verdict?.confidence ?? null,
      };
    }),
    nextCursor: rows.length > limit && last !== undefined ? writeCursor(last.opened_at, last.id) : null,
  };
}

/** How many incidents stand in each state. */
export async function countByState(tx: Tx): Promise<Readonly<Record<IncidentState, number>>> {
  const rows = await tx
    .selectFrom('incidents')
    .select((eb) => ['state', eb.fn.countAll<number>().as('n')])
    .where('kind', '=', 'problem')
    .groupBy('state')
    .execute();
  const counts = { open: 0, acknowledged: 0, resolved: 0 };
  for (const row of rows) counts[row.state] = row.n;
  return counts;
}

/** One incident without what hangs on it; null when there is no such incident. */
export async function readIncident(tx: Tx, incidentId: number): Promise<Incident | null> {
  const row = await tx.selectFrom('incidents').selectAll().where('id', '=', incidentId).executeTakeFirst();
  return row === undefined ? null : toIncident(row);
}

/** The whole story of an incident, oldest first. */
export function timeline(tx: Tx, incidentId: number): Promise<TimelineEntry[]> {
  return timelineStore.read(tx, incidentId);
}

/** Every diagnosis of an incident, newest first. */
export function diagnoses(tx: Tx, incidentId: number): Promise<Diagnosis[]> {
  return diagnosisStore.diagnosesOf(tx, incidentId);
}

/** The frozen evidence of one diagnosis, or the newest of the incident; null when there is none. */
export function recording(tx: Tx, incidentId: number, diagnosisId?: number): Promise<StoredRecording | null> {
  return diagnosisStore.readRecording(tx, incidentId, diagnosisId);
}

/** The one place that searches text, since the two databases do it differently. */
function textSearch(q: string) {
  const id = parsePublicId(q);
  const pattern = `%${q
    .toLowerCase()
    .slice(0, 200)
    .replace(/[\\%_]/g, '\\$&')}%`;
  return sql<boolean>`(incidents.id = ${id ?? -1}
    or lower(alert_name) like ${pattern} escape '\\'
    or lower(scope) like ${pattern} escape '\\'
    or exists (select 1 from diagnoses d where d.incident_id = incidents.id and lower(d.verdict) like ${pattern} escape '\\'))`;
}

function writeCursor(openedAtMs: number, id: number): string {
  return Buffer.from(`${openedAtMs}:${id}`).toString('base64url');
}

function readCursor(cursor: string): { readonly openedAtMs: number; readonly id: number } {
  const match = /^(\d{1,16}):(\d{1,15})$/.exec(
    Buffer.from(cursor.slice(0, 64), 'base64url').toString('latin1'),
  );
  if (match === null) {
    throw new AppError(
      'bad_request',
      'cursor: not a cursor of this service; pass the nextCursor of the page before',
    );
  }
  return { openedAtMs: Number(match[1]), id: Number(match[2]) };
}
