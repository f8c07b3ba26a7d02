/** What an umbrella says of the incidents under it: who stands, and what most of them share. Pure. */

import type { IncidentKind, IncidentState } from './incident.js';
import type { Labels } from './labels.js';
import { labelValue } from './labels.js';
import type { Scope } from './scope.js';
import { compareSeverity, type Severity } from './severity.js';
import type { SureVerdict } from './sure-verdict.js';

/** One incident under an umbrella, as far as it is known. */
export type MemberFacts = {
  readonly id: number;
  readonly kind: IncidentKind;
  readonly alertName: string;
  readonly severity: Severity;
  readonly state: IncidentState;
  readonly sureVerdict: SureVerdict | null;
};

export type UmbrellaMember = Omit<MemberFacts, 'sureVerdict'> & {
  readonly scope: Scope;
  /** Its verdict in 3–6 words; null while there is none. */
  readonly short: string | null;
};

/** Standing incidents of one alert name. */
export type MemberGroup = {
  readonly name: string;
  readonly severity: Severity;
  readonly count: number;
  /** "INC-7 to INC-52, INC-60". */
  readonly ids: string;
};

export type Shared = {
  /** "node gpu-17", or what the cause says. */
  readonly says: string;
  readonly count: number;
  readonly of: number;
};

export type UmbrellaView = {
  /** Standing ones first, then the most severe, then the oldest. At most 50. */
  readonly members: readonly UmbrellaMember[];
  readonly memberCount: number;
  readonly standingCount: number;
  /** Standing and critical. */
  readonly criticalCount: number;
  /** Every standing one, by alert name, the most severe and frequent first. */
  readonly groups: readonly MemberGroup[];
  /** What most of those that stand share; null when nothing is. */
  readonly shared: Shared | null;
};

/** Where things break for many at once, the most upstream first. */
const UPSTREAM_LABELS = ['zone', 'rack', 'node', 'host', 'hostname', 'instance', 'gpu', 'gpu_id'];

/** The order in which members are shown. */
export function byUrgency(
  a: Pick<MemberFacts, 'id' | 'state' | 'severity'>,
  b: Pick<MemberFacts, 'id' | 'state' | 'severity'>,
): number {
  const over = Number(a.state === 'resolved') - Number(b.state === 'resolved');
  return over || compareSeverity(b.severity, a.severity) || a.id - b.id;
}

/** Standing members by alert name, each with all its ids. */
export function groupsOf(members: readonly MemberFacts[]): MemberGroup[] {
  const groups = new Map<string, { severity: Severity; ids: number[] }>();
  for (const { id, kind, state, alertName, severity } of members) {
    if (state === 'resolved' || kind !== 'problem') continue;
    const group = groups.get(alertName) ?? { severity, ids: [] };
    groups.set(alertName, group);
    group.ids.push(id);
    if (compareSeverity(severity, group.severity) > 0) group.severity = severity;
  }
  return [...groups]
    .map(([name, { severity, ids }]) => ({ name, severity, count: ids.length, ids: idsInWords(ids) }))
    .sort((a, b) => compareSeverity(b.severity, a.severity) || b.count - a.count);
}

/** "INC-7 to INC-52, INC-60": every id, in as few words as they allow. */
export function idsInWords(ids: readonly number[]): string {
  const ranges: { from: number; to: number }[] = [];
  for (const id of [...ids].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && id <= last.to + 1) last.to = id;
    else ranges.push({ from: id, to: id });
  }
  return ranges
    .map(({ from, to }) => {
      if (from === to) return `INC-${from}`;
      return to === from + 1 ? `INC-${from}, INC-${to}` : `INC-${from} to INC-${to}`;
    })
    .join(', ');
}

/**
 * What more than half of the standing members share: a place that is upstream of them, else a diagnosed cause that
 * is theirs or explains them. `labels` are those of the lead alerts that were read, by incident id; `says` words a
 * cause.
 */
export function sharedBy(
  members: readonly MemberFacts[],
  labels: ReadonlyMap<number, Labels>,
  says: (cause: string) => string | null,
): Shared | null {
  const standing = members.filter(({ state, kind }) => state !== 'resolved' && kind === 'problem');
  if (standing.length < 2) return null;
  return sharedPlace(standing, labels) ?? sharedCause(standing, says);
}

function sharedPlace(standing: readonly MemberFacts[], labels: ReadonlyMap<number, Labels>): Shared | null {
  const known = standing.map(({ id }) => labels.get(id)).filter((one) => one !== undefined);
  for (const name of UPSTREAM_LABELS) {
    const counts = new Map<string, number>();
    for (const one of known) {
      const value = labelValue(one, name);
      if (value !== undefined && value !== '') counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const [most] = [...counts].sort(([, a], [, b]) => b - a);
    // Only those whose labels were read can count for it, and all of them against it.
    if (most !== undefined && most[1] >= 2 && most[1] * 2 > known.length) {
      return { says: `${name} ${most[0]}`, count: most[1], of: known.length };
    }
  }
  return null;
}

function sharedCause(
  standing: readonly MemberFacts[],
  says: (cause: string) => string | null,
): Shared | null {
  const explains = new Map<string, Set<string>>();
  for (const { sureVerdict } of standing) {
    if (sureVerdict === null) continue;
    const names = explains.get(sureVerdict.cause) ?? new Set();
    for (const name of sureVerdict.explains) names.add(name);
    explains.set(sureVerdict.cause, names);
  }
  let best: Shared | null = null;
  for (const [cause, names] of explains) {
    // A member with a cause of its own is not explained by another's.
    const count = standing.filter(({ alertName, sureVerdict }) =>
      sureVerdict === null ? names.has(alertName) : sureVerdict.cause === cause,
    ).length;
    if (count > (best?.count ?? 1)) best = { says: says(cause) ?? cause, count, of: standing.length };
  }
  return best !== null && best.count * 2 > best.of ? best : null;
}
