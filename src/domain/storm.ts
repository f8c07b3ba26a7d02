/** Many new incidents of one cluster at once: one umbrella speaks for them, so that nobody is paged for each. */

import { labelValue } from './labels.js';
import { type Scope, scopeOf } from './scope.js';

export type StormRule = {
  /** More new incidents than this within `withinMs` are a storm. */
  readonly incidents: number;
  readonly withinMs: number;
  /** Over when none was opened for so long. */
  readonly quietMs: number;
  /** Cards are updated no more often. */
  readonly cardEveryMs: number;
  /** Its umbrella pages again no more often, and only for criticals that no page has named. */
  readonly pageEveryMs: number;
};

/** Where an incident counts: its cluster, or where none is named its source. At most 200 characters. */
export function clusterOf(scope: Scope, source: string): string {
  const cluster = labelValue(scope, 'cluster');
  return cluster === undefined ? `source:${source}`.slice(0, 200) : `cluster:${cluster}`.slice(0, 200);
}

/** The scope of an umbrella. */
export function stormScope(scope: Scope): Scope {
  return scopeOf(scope, ['cluster']);
}
