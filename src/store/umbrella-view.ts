/** Reads what an umbrella speaks for. */

import { sql } from 'kysely';
import type { Incident } from '../domain/incident.js';
import type { Labels } from '../domain/labels.js';
import { sureVerdictFromText } from '../domain/sure-verdict.js';
import { byUrgency, groupsOf, type MemberFacts, sharedBy, type UmbrellaView } from '../domain/umbrella.js';
import type { Verdict } from '../domain/verdict.js';
import { labelsFromText } from './incident-rows.js';
import type { Tx } from './tables.js';

const MAX_MEMBERS = 50;

/** Null for an incident that is no umbrella. */
export async function readUmbrella(tx: Tx, { id, kind }: Incident): Promise<UmbrellaView | null> {
  if (kind === 'problem') return null;
  const members = kind === 'storm' ? await membersOfStorms(tx, [id]) : await membersOfBundle(tx, id);
  // A storm may itself have had no room for its page.
  const inner = members.filter((one) => one.kind === 'storm').map((one) => one.id);
  const all = inner.length === 0 ? members : [...members, ...(await membersOfStorms(tx, inner))];

  const shown = [...members].sort(byUrgency).slice(0, MAX_MEMBERS);
  const ids = shown.map((one) => one.id);
  const [leads, verdicts] =
    ids.length === 0 ? [new Map(), new Map()] : [await leadsOf(tx, ids), await verdictsOf(tx, ids)];
  const says = (cause: string) => [...verdicts.values()].find((one) => one.cause === cause)?.says ?? null;
  const standing = all.filter(({ state, kind }) => state !== 'resolved' && kind === 'problem');
  return {
    members: shown.map(({ sureVerdict: _, ...facts }) => ({
      ...facts,
      scope: leads.get(facts.id)?.scope ?? {},
      short: verdicts.get(facts.id)?.short ?? null,
    })),
    memberCount: all.filter((one) => one.kind === 'problem').length,
    standingCount: standing.length,
    criticalCount: standing.filter(({ severity }) => severity === 'critical').length,
    groups: groupsOf(all),
    shared: sharedBy(all, new Map([...leads].map(([lead, { labels }]) => [lead, labels])), says),
  };
}

const FACTS = ['id', 'kind', 'alert_name', 'severity', 'state', 'sure_verdict'] as const;

type FactsRow = Pick<MemberFacts, 'id' | 'kind' | 'severity' | 'state'> & {
  readonly alert_name: string;
  readonly sure_verdict: string | null;
};

function toFacts(row: FactsRow): MemberFacts {
  const { id, kind, severity, state } = row;
  return {
    id,
    kind,
    severity,
    state,
    alertName: row.alert_name,
    sureVerdict: sureVerdictFromText(row.sure_verdict),
  };
}

async function membersOfStorms(tx: Tx, stormIds: readonly number[]): Promise<MemberFacts[]> {
  const rows = await tx
    .selectFrom('incidents')
    .select(FACTS)
    .where('storm_id', 'in', [...stormIds])
    .where('storm_id', 'is not', null)
    .orderBy('id')
    .execute();
  return rows.map(toFacts);
}

async function membersOfBundle(tx: Tx, bundleId: number): Promise<MemberFacts[]> {
  const rows = await tx
    .selectFrom('incidents')
    .select(FACTS)
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('notifications')
        .select('incident_id')
        .where('umbrella_id', '=', bundleId)
        .where('purpose', '=', 'page')
        .where('state', 'in', ['withheld', 'sent']),
    )
    .orderBy('id')
    .execute();
  return rows.map(toFacts);
}

async function leadsOf(
  tx: Tx,
  ids: readonly number[],
): Promise<Map<number, { readonly labels: Labels; readonly scope: Labels }>> {
  const rows = await tx
    .selectFrom('incidents as i')
    .leftJoin('incident_alerts as a', (join) =>
      join.onRef('a.incident_id', '=', 'i.id').onRef('a.alert_key', '=', 'i.alert_key'),
    )
    .select(['i.id', 'i.scope', 'a.labels'])
    .where('i.id', 'in', [...ids])
    .execute();
  return new Map(
    rows.map((row) => [
      row.id,
      { labels: labelsFromText(row.labels ?? '{}'), scope: labelsFromText(row.scope) },
    ]),
  );
}

/** The newest verdict of each that was found while it fired. */
async function verdictsOf(tx: Tx, ids: readonly number[]): Promise<Map<number, Verdict>> {
  const rows = await tx
    .selectFrom('diagnoses')
    .select(['incident_id', 'verdict'])
    .where(
      'id',
      'in',
      sql<number>`(select max(d.id) from diagnoses d where d.incident_id in (${sql.join(ids)})
        and d.trigger <> 'resolved' group by d.incident_id)`,
    )
    .execute();
  return new Map(rows.map((row) => [row.incident_id, JSON.parse(row.verdict) as Verdict]));
}
