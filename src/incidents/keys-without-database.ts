/** Which pages a group would open, from the payload alone: for the moment when nothing can be committed. */

import type { AlertGroup } from '../domain/alert.js';
import type { Labels } from '../domain/labels.js';
import type { Scope } from '../domain/scope.js';
import type { Explains } from './join-index.js';
import { createPlanner } from './plan-intake.js';

export type CriticalOpening = {
  /** The key that the episode will have once the redelivered call is committed, so that a pager sees one. */
  readonly dedupKey: string;
  readonly source: string;
  readonly alertName: string;
  readonly scope: Scope;
  readonly labels: Labels;
};

/** The critical incidents that a group opens where none is open yet. Pure. */
export function criticalOpenings(
  group: AlertGroup,
  options: { readonly explains: Explains; readonly nowMs: number },
): CriticalOpening[] {
  const planner = createPlanner({ ...options, reopenWindowMs: 0, resolveHoldMs: 0 });
  planner.receive({ source: group.source, body: new Uint8Array(), parsed: { kind: 'group', group } });
  const openings: CriticalOpening[] = [];
  for (const incident of planner.plan.incidents) {
    const key = incident.newEpisode?.dedupKey ?? null;
    if (incident.severity !== 'critical' || key === null) continue;
    openings.push({
      dedupKey: key,
      source: incident.source,
      alertName: incident.alertName,
      scope: incident.scope,
      labels: incident.routeBy ?? incident.scope,
    });
  }
  return openings;
}
