/**
 * Finds the open incident that an alert belongs to: same source, compatible scope, and the same alert name or one that
 * explains the other. What was diagnosed outweighs what is declared: once a cause is known, an alert is explained by
 * it or not at all. Thousands of open incidents must not mean thousands of comparisons an alert: see `scope-set.ts`.
 */

import type { Scope } from '../domain/scope.js';
import type { SureVerdict } from '../domain/sure-verdict.js';
import { createScopeSet, type ScopeSet } from './scope-set.js';

export type Explains = (causeName: string, otherName: string) => boolean;

type Asked = { readonly source: string; readonly name: string; readonly scope: Scope };

/** What the index needs to know of an incident. Later ones win a tie of the same alert, so they are added in order of age. */
export type Joinable = {
  readonly source: string;
  readonly scope: Scope;
  readonly sureVerdict: SureVerdict | null;
};

export type Join<T> = { readonly incident: T; readonly why: string };

export type JoinIndex<T extends Joinable> = {
  /** Makes an incident findable by the name of one of its alerts. */
  readonly add: (incident: T, name: string) => void;
  /** The incident that an alert joins and why; null when there is none, or more than one with equal right. */
  readonly find: (alert: Asked) => Join<T> | null;
};

/** Names compared for `explains`. A source with more distinct alert names open at once joins by equal names only. */
const MAX_RELATED_NAMES = 300;

/** Incidents of one source. */
type BySource<T extends Joinable> = {
  /** By the names of their alerts. */
  readonly members: Map<string, ScopeSet<T>>;
  /** Of those, the ones whose cause is not known: what is declared decides. */
  readonly undiagnosed: Map<string, ScopeSet<T>>;
  /** By the names that their diagnosed cause explains. */
  readonly explained: Map<string, ScopeSet<T>>;
};

type Related<T extends Joinable> = { readonly why: string; readonly scopes: ScopeSet<T> };

/** Whatever an alert has to do with: what is the same or was diagnosed has the greater right. */
type Relations<T extends Joinable> = {
  readonly known: readonly Related<T>[];
  readonly declared: readonly Related<T>[];
};

export function createJoinIndex<T extends Joinable>(explains: Explains): JoinIndex<T> {
  const sources = new Map<string, BySource<T>>();
  // The alerts of one body mostly ask the same; each answer holds until an incident is added.
  const answers = new Map<string, Join<T> | null>();

  function relatedTo(name: string, { members, undiagnosed, explained }: BySource<T>): Relations<T> {
    const known: Related<T>[] = [];
    const declared: Related<T>[] = [];
    const own = members.get(name);
    if (own !== undefined) known.push({ why: 'same alert', scopes: own });
    const diagnosed = explained.get(name);
    if (diagnosed !== undefined) known.push({ why: 'the diagnosed cause explains it', scopes: diagnosed });
    let compared = 0;
    for (const [member, scopes] of members) {
      if (member === name) continue;
      compared += 1;
      if (compared > MAX_RELATED_NAMES) break;
      const open = undiagnosed.get(member);
      if (open !== undefined && explains(member, name)) {
        declared.push({ why: `${member} explains it`, scopes: open });
      }
      if (explains(name, member)) declared.push({ why: `${name} explains ${member}`, scopes });
    }
    return { known, declared };
  }

  function search(alert: Asked): Join<T> | null {
    const source = sources.get(alert.source);
    if (source === undefined) return null;
    let newest: T | null = null;
    for (const incident of source.members.get(alert.name)?.identical(alert.scope) ?? []) newest = incident;
    if (newest !== null) return { incident: newest, why: 'same alert, same scope' };

    const { known, declared } = relatedTo(alert.name, source);
    // The same place first; only then places that merely do not disagree.
    for (const [place, pick] of [
      ['same scope', (scopes: ScopeSet<T>) => scopes.identical(alert.scope)],
      ['compatible scope', (scopes: ScopeSet<T>) => scopes.compatible(alert.scope)],
    ] as const) {
      for (const related of [known, declared]) {
        const found = only(related, pick);
        if (found === 'several') return null;
        if (found !== 'none') return { incident: found.incident, why: `${found.why}, ${place}` };
      }
    }
    return null;
  }

  return {
    add(incident, name) {
      answers.clear();
      let source = sources.get(incident.source);
      if (source === undefined) {
        source = { members: new Map(), undiagnosed: new Map(), explained: new Map() };
        sources.set(incident.source, source);
      }
      addTo(source.members, name, incident);
      if (incident.sureVerdict === null) addTo(source.undiagnosed, name, incident);
      else for (const other of incident.sureVerdict.explains) addTo(source.explained, other, incident);
    },

    find(alert) {
      const key = JSON.stringify([alert.source, alert.name, alert.scope]);
      let answer = answers.get(key);
      if (answer === undefined) {
        answer = search(alert);
        answers.set(key, answer);
      }
      return answer;
    },
  };
}

/** The one incident found, for the first reason it was found. Two have equal right, and neither gets the alert. */
function only<T extends Joinable>(
  related: readonly Related<T>[],
  pick: (scopes: ScopeSet<T>) => Iterable<T>,
): Join<T> | 'none' | 'several' {
  let found: Join<T> | null = null;
  for (const { why, scopes } of related) {
    for (const incident of pick(scopes)) {
      if (found !== null && found.incident !== incident) return 'several';
      found ??= { incident, why };
    }
  }
  return found ?? 'none';
}

function addTo<T extends Joinable>(index: Map<string, ScopeSet<T>>, name: string, incident: T): void {
  let scopes = index.get(name);
  if (scopes === undefined) {
    scopes = createScopeSet<T>();
    index.set(name, scopes);
  }
  scopes.add(incident);
}
