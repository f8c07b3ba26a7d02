/**
 * Finds the open incident that an alert belongs to: same source, compatible scope, and the same alert name or
 * one that explains the other. Thousands of open incidents must not mean thousands of comparisons an alert,
 * so scopes are grouped by the label names they have and looked up by the values they share.
 */

import type { Scope } from '../domain/scope.js';

export type Explains = (causeName: string, otherName: string) => boolean;

type Asked = { readonly source: string; readonly name: string; readonly scope: Scope };

/** What the index needs to know of an incident. Later ones win a tie, so they are added in order of age. */
export type Joinable = { readonly source: string; readonly scope: Scope };

export type Join<T> = { readonly incident: T; readonly why: string };

export type JoinIndex<T extends Joinable> = {
  /** Makes an incident findable by the name of one of its alerts. */
  readonly add: (incident: T, name: string) => void;
  /** The incident that an alert joins and why; null when there is none, or more than one with equal right. */
  readonly find: (alert: Asked) => Join<T> | null;
};

/** Names compared for `explains`. A source with more distinct alert names open at once joins by equal names only. */
const MAX_RELATED_NAMES = 300;

export function createJoinIndex<T extends Joinable>(explains: Explains): JoinIndex<T> {
  const sources = new Map<string, Map<string, ScopeSet<T>>>();
  // The alerts of one body mostly ask the same; each answer holds until an incident is added.
  const answers = new Map<string, Join<T> | null>();

  function relationOf(alertName: string, memberName: string): Relation {
    if (explains(memberName, alertName)) return 'explained';
    return explains(alertName, memberName) ? 'explains' : 'none';
  }

  function search(alert: Asked): Join<T> | null {
    const names = sources.get(alert.source);
    if (names === undefined) return null;
    const related: { readonly name: string; readonly relation: Relation; readonly scopes: ScopeSet<T> }[] =
      [];
    const own = names.get(alert.name);
    if (own !== undefined) {
      const identical = own.newestIdentical(alert.scope);
      if (identical !== null) return { incident: identical, why: 'same alert, same scope' };
      related.push({ name: alert.name, relation: 'same', scopes: own });
    }
    let compared = 0;
    for (const [name, scopes] of names) {
      if (name === alert.name) continue;
      compared += 1;
      if (compared > MAX_RELATED_NAMES) break;
      const relation = relationOf(alert.name, name);
      if (relation !== 'none') related.push({ name, relation, scopes });
    }

    // The same place first; only then places that merely do not disagree.
    for (const { name, relation, scopes } of related) {
      const identical = scopes.newestIdentical(alert.scope);
      if (identical !== null) {
        return { incident: identical, why: `${sentence(alert.name, name, relation)}, same scope` };
      }
    }
    let only: Join<T> | null = null;
    for (const { name, relation, scopes } of related) {
      for (const incident of scopes.compatible(alert.scope)) {
        if (only !== null && only.incident !== incident) return null;
        only ??= { incident, why: `${sentence(alert.name, name, relation)}, compatible scope` };
      }
    }
    return only;
  }

  return {
    add(incident, name) {
      answers.clear();
      const names = sources.get(incident.source) ?? new Map<string, ScopeSet<T>>();
      sources.set(incident.source, names);
      const scopes = names.get(name) ?? createScopeSet<T>();
      names.set(name, scopes);
      scopes.add(incident);
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

type Relation = 'same' | 'explained' | 'explains' | 'none';

function sentence(alertName: string, memberName: string, relation: Relation): string {
  if (relation === 'same') return 'same alert';
  return relation === 'explained' ? `${memberName} explains it` : `${alertName} explains ${memberName}`;
}

type ScopeSet<T> = {
  readonly add: (incident: T) => void;
  readonly newestIdentical: (scope: Scope) => T | null;
  readonly compatible: (scope: Scope) => Iterable<T>;
};

/** Incidents whose scopes have the same label names, by all their values and by the values of some of them. */
type Shape<T> = {
  readonly labelNames: readonly string[];
  readonly incidents: Set<T>;
  readonly byAll: Map<string, T>;
  readonly byShared: Map<string, Map<string, Set<T>>>;
};

function createScopeSet<T extends Joinable>(): ScopeSet<T> {
  const shapes = new Map<string, Shape<T>>();

  function sharedIndex(shape: Shape<T>, shared: readonly string[]): Map<string, Set<T>> {
    const key = JSON.stringify(shared);
    let index = shape.byShared.get(key);
    if (index === undefined) {
      index = new Map();
      for (const incident of shape.incidents) addTo(index, valuesOf(incident.scope, shared), incident);
      shape.byShared.set(key, index);
    }
    return index;
  }

  return {
    add(incident) {
      const labelNames = Object.keys(incident.scope).sort();
      const key = JSON.stringify(labelNames);
      let shape = shapes.get(key);
      if (shape === undefined) {
        shape = { labelNames, incidents: new Set(), byAll: new Map(), byShared: new Map() };
        shapes.set(key, shape);
      }
      shape.incidents.add(incident);
      shape.byAll.set(valuesOf(incident.scope, labelNames), incident);
      for (const [shared, index] of shape.byShared) {
        addTo(index, valuesOf(incident.scope, JSON.parse(shared) as string[]), incident);
      }
    },
    newestIdentical(scope) {
      const labelNames = Object.keys(scope).sort();
      return shapes.get(JSON.stringify(labelNames))?.byAll.get(valuesOf(scope, labelNames)) ?? null;
    },
    // The rule of domain/scope.ts compatibleScopes, by look-up.
    *compatible(scope) {
      const own = Object.keys(scope);
      for (const shape of shapes.values()) {
        const shared = shape.labelNames.filter((name) => Object.hasOwn(scope, name));
        if (shared.length === 0 && shape.labelNames.length > 0 && own.length > 0) continue;
        yield* sharedIndex(shape, shared).get(valuesOf(scope, shared)) ?? [];
      }
    },
  };
}

function addTo<T>(index: Map<string, Set<T>>, key: string, incident: T): void {
  const set = index.get(key);
  if (set === undefined) index.set(key, new Set([incident]));
  else set.add(incident);
}

function valuesOf(scope: Scope, names: readonly string[]): string {
  return JSON.stringify(names.map((name) => scope[name]));
}
