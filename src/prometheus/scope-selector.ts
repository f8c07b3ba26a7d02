import type { EngineFile } from '../catalog/engine-file.js';
import type { Scope } from '../domain/scope.js';
import { buildSelector, isSelectable } from './selector.js';

/** A scope as an engine's series carry it. */
export type ScopeSelector = {
  /** Matchers without braces. */
  readonly selector: string;
  /** The same without the model: for series of a target rather than of a model. */
  readonly place: string;
  /** The engine's label names and the values they must have. */
  readonly labels: readonly (readonly [string, string])[];
};

export type Selection =
  | { readonly kind: 'ok'; readonly scope: ScopeSelector }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * The matchers of a scope in an engine's own label names; a scope label that the engine has no name for keeps its own.
 * `external` labels exist only outside the Prometheus and stay out of the query. The refusal says why there is no
 * question to ask: nothing is ever asked about a whole Prometheus, nor with a label left out.
 */
export function selectScope(engine: EngineFile, scope: Scope, external: readonly string[]): Selection {
  const names = Object.keys(scope).filter((name) => !external.includes(name));
  if (names.length === 0) return { kind: 'refused', why: 'the alert carries no label that says where it is' };
  // What a companion's series lack limits them all the same, through the pods that they are joined with.
  const own = names.filter((name) => !engine.by_pods.includes(name));
  return selectLabels(engine, scope, own);
}

function selectLabels(engine: EngineFile, scope: Scope, names: readonly string[]): Selection {
  const labels: [string, string][] = [];
  const places: [string, string][] = [];
  for (const name of names) {
    const own = engine.labels[name] ?? name;
    const value = scope[name] ?? '';
    if (!isSelectable(own, value))
      return {
        kind: 'refused',
        why: `the scope label ${name} is empty or has a name that PromQL cannot take`,
      };
    labels.push([own, value]);
    if (name !== 'model') places.push([own, value]);
  }
  return { kind: 'ok', scope: { selector: buildSelector(labels), place: buildSelector(places), labels } };
}
