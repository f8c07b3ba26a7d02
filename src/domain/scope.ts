import { type Labels, labelsFrom, labelValue } from './labels.js';

/** Where a problem is: the scope labels (by default cluster, namespace, model) that its alerts carry. */
export type Scope = Labels;

/** Picks the configured scope labels out of an alert's labels. An empty value counts as absent. */
export function scopeOf(labels: Labels, scopeLabels: readonly string[]): Scope {
  const entries: [string, string][] = [];
  for (const name of scopeLabels) {
    const value = labelValue(labels, name);
    if (value !== undefined && value !== '') entries.push([name, value]);
  }
  return labelsFrom(entries);
}

/**
 * Two scopes are compatible when every label that both have agrees. Scopes that share no label at all
 * are compatible only if one of them is empty: nothing says they are different places.
 */
export function compatibleScopes(a: Scope, b: Scope): boolean {
  const shared = Object.keys(a).filter((name) => Object.hasOwn(b, name));
  if (shared.length === 0) return Object.keys(a).length === 0 || Object.keys(b).length === 0;
  return shared.every((name) => a[name] === b[name]);
}

/** `llama-70b/prod-us`: model, then cluster, or whatever the scope has. "unknown scope" when empty. */
export function placeOf(scope: Scope): string {
  const model = labelValue(scope, 'model');
  const cluster = labelValue(scope, 'cluster');
  const named = [model, cluster].filter((part) => part !== undefined);
  const parts = named.length > 0 ? named : Object.values(scope);
  return parts.length > 0 ? parts.join('/') : 'unknown scope';
}
