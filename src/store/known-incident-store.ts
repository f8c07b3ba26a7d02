/**
 * The incidents that arriving alerts may join or reopen. They are read with every batch of webhook calls, all that are
 * open at once, so only the columns that planning needs. Part of the incident store.
 */

import { type Selectable, sql } from 'kysely';
import { cyclesFromText } from '../domain/cycles.js';
import type { Incident } from '../domain/incident.js';
import { sureVerdictFromText } from '../domain/sure-verdict.js';
import { listStatement } from './bulk.js';
import { labelsFromText } from './incident-rows.js';
import type { IncidentsTable, Tx } from './tables.js';

export type KnownIncident = Pick<
  Incident,
  | 'id'
  | 'source'
  | 'alertName'
  | 'alertKey'
  | 'severity'
  | 'severityNote'
  | 'scope'
  | 'state'
  | 'episodeId'
  | 'acknowledgedAtMs'
  | 'resolvedAtMs'
  | 'reopenedCount'
  | 'sureVerdict'
  | 'cycles'
  | 'stormId'
> & { readonly flapping: boolean; readonly inStorm: boolean };

/** An incident and every alert name that was ever part of it. */
export type NamedIncident = { readonly incident: KnownIncident; readonly names: readonly string[] };

const COLUMNS = [
  'i.id',
  'i.source',
  'i.alert_name',
  'i.alert_key',
  'i.severity',
  'i.severity_note',
  'i.scope',
  'i.state',
  'i.episode_id',
  'i.acknowledged_at',
  'i.resolved_at',
  'i.reopened_count',
  'i.sure_verdict',
  'i.cycles',
  'i.flapping',
  'i.storm_id',
  'i.in_storm',
] as const;

type Row = Pick<
  Selectable<IncidentsTable>,
  (typeof COLUMNS)[number] extends `i.${infer Name}` ? Name & keyof IncidentsTable : never
>;

const selectOpen = listStatement((tx, sources) =>
  tx
    .selectFrom('incidents as i')
    .select(COLUMNS)
    .where('i.source', 'in', sources)
    .where(sql<boolean>`i.state in ('open', 'acknowledged') and i.kind = 'problem'`)
    .orderBy('i.id')
    .compile(),
);

const selectOpenNames = listStatement((tx, sources) =>
  tx
    .selectFrom('incidents as i')
    .innerJoin('incident_names as n', 'n.incident_id', 'i.id')
    .select(['n.incident_id', 'n.name'])
    .where('i.source', 'in', sources)
    .where(sql<boolean>`i.state in ('open', 'acknowledged') and i.kind = 'problem'`)
    .compile(),
);

const selectResolved = listStatement((tx, names) =>
  tx
    .selectFrom('incidents as i')
    .innerJoin('incident_names as n', 'n.incident_id', 'i.id')
    .select(COLUMNS)
    .select('n.name')
    .where('i.resolved_at', '>=', 0)
    .where(sql<boolean>`i.state = 'resolved' and i.folded_into is null`)
    .where('n.name', 'in', names)
    .compile(),
);

const selectByIds = listStatement((tx, ids) =>
  tx.selectFrom('incidents as i').select(COLUMNS).where('i.id', 'in', ids).compile(),
);

export function createKnownIncidentStore() {
  return {
    /** Every open or acknowledged incident of these sources, with the names of its alerts. */
    async findOpenIncidents(tx: Tx, sources: readonly string[]): Promise<NamedIncident[]> {
      const rows = await selectOpen.run(tx, sources);
      const names = await selectOpenNames.run(tx, sources);
      return withNames(rows.map(toKnown), names);
    },

    /** Incidents of these sources that resolved at or after `sinceMs` and had an alert of one of these names. */
    async findResolvedSince(
      tx: Tx,
      options: {
        readonly sources: readonly string[];
        readonly names: readonly string[];
        readonly sinceMs: number;
      },
    ): Promise<NamedIncident[]> {
      const rows = await selectResolved.run(tx, options.names, [options.sinceMs]);
      const ours = rows.filter((row) => options.sources.includes(row.source));
      const incidents = new Map(ours.map((row) => [row.id, toKnown(row)]));
      return withNames(
        [...incidents.values()],
        ours.map((row) => ({ incident_id: row.id, name: row.name })),
      );
    },

    /** These incidents, in no particular order. */
    async findKnownIncidents(tx: Tx, ids: readonly number[]): Promise<KnownIncident[]> {
      const rows = await selectByIds.run(tx, ids);
      return [...new Map(rows.map((row) => [row.id, toKnown(row)])).values()];
    },
  };
}

const scopeFromText = remembering(labelsFromText);
const cyclesOf = remembering(cyclesFromText);
const verdictFromText = remembering(sureVerdictFromText);

function toKnown(row: Row): KnownIncident {
  return {
    id: row.id,
    source: row.source,
    alertName: row.alert_name,
    alertKey: row.alert_key,
    severity: row.severity,
    severityNote: row.severity_note,
    scope: scopeFromText(row.scope),
    state: row.state,
    episodeId: row.episode_id,
    acknowledgedAtMs: row.acknowledged_at,
    resolvedAtMs: row.resolved_at,
    reopenedCount: row.reopened_count,
    sureVerdict: row.sure_verdict === null ? null : verdictFromText(row.sure_verdict),
    cycles: cyclesOf(row.cycles),
    flapping: row.flapping === 1,
    stormId: row.storm_id,
    inStorm: row.in_storm === 1,
  };
}

const MAX_REMEMBERED = 2000;

/** Parses each text once for as long as it is among the last few thousand: the same incidents come with every batch. */
function remembering<T>(parse: (text: string) => T): (text: string) => T {
  const known = new Map<string, { readonly value: T }>();
  return (text) => {
    let found = known.get(text);
    if (found === undefined) {
      if (known.size >= MAX_REMEMBERED) known.clear();
      found = { value: parse(text) };
      known.set(text, found);
    }
    return found.value;
  };
}

function withNames(
  incidents: readonly KnownIncident[],
  names: readonly { readonly incident_id: number; readonly name: string }[],
): NamedIncident[] {
  const byIncident = new Map<number, string[]>();
  for (const row of names) {
    const list = byIncident.get(row.incident_id);
    if (list === undefined) byIncident.set(row.incident_id, [row.name]);
    else list.push(row.name);
  }
  return incidents.map((incident) => ({
    incident,
    names: byIncident.get(incident.id) ?? [incident.alertName],
  }));
}
