/**
 * Incidents by their scopes, for finding those of one place without comparing with each: scopes are grouped by the
 * label names they have and looked up by the values they share.
 */

import type { Scope } from '../domain/scope.js';

/** What a set needs to know of an incident. */
export type Scoped = { readonly scope: Scope };

export type ScopeSet<T extends Scoped> = {
  readonly add: (incident: T) => void;
  /** Those of exactly this scope, in the order they were added. */
  readonly identical: (scope: Scope) => Iterable<T>;
  /** Those of a compatible scope (domain/scope.ts), the identical ones included. */
  readonly compatible: (scope: Scope) => Iterable<T>;
};

/** Incidents whose scopes have the same label names, by all their values and by the values of some of them. */
type Shape<T> = {
  readonly labelNames: readonly string[];
  readonly incidents: Set<T>;
  readonly byAll: Map<string, Set<T>>;
  readonly byShared: Map<string, Map<string, Set<T>>>;
};

export function createScopeSet<T extends Scoped>(): ScopeSet<T> {
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
      addTo(shape.byAll, valuesOf(incident.scope, labelNames), incident);
      for (const [shared, index] of shape.byShared) {
        addTo(index, valuesOf(incident.scope, JSON.parse(shared) as string[]), incident);
      }
    },
    identical(scope) {
      const labelNames = Object.keys(scope).sort();
      return shapes.get(JSON.stringify(labelNames))?.byAll.get(valuesOf(scope, labelNames)) ?? [];
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
