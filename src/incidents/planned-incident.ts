/** Incidents as a plan begins with them: read from the database, or opened by an alert. */

import type { Alert } from '../domain/alert.js';
import { begun } from '../domain/cycles.js';
import { clusterOf } from '../domain/storm.js';
import type { EpisodeFacts } from '../store/incident-store.js';
import type { NamedIncident } from '../store/known-incident-store.js';
import type { PlannedIncident } from './intake-types.js';

/** What is known of an incident before a batch; the rest of a planned one is what batches change. */
type Known = Omit<
  PlannedIncident,
  | 'cluster'
  | 'newNames'
  | 'changed'
  | 'rewritten'
  | 'continued'
  | 'severityRaised'
  | 'unacknowledged'
  | 'rediagnose'
  | 'mayBeOver'
>;

/** Written out: a spread of so many properties takes 10 µs, and every open incident of a source is planned with. */
function untouched(known: Known): PlannedIncident {
  return {
    id: known.id,
    source: known.source,
    alertName: known.alertName,
    alertKey: known.alertKey,
    severity: known.severity,
    severityNote: known.severityNote,
    scope: known.scope,
    cluster: clusterOf(known.scope, known.source),
    state: known.state,
    reopenedCount: known.reopenedCount,
    episodeId: known.episodeId,
    acknowledgedAtMs: known.acknowledgedAtMs,
    resolvedAtMs: known.resolvedAtMs,
    cycles: known.cycles,
    flapping: known.flapping,
    stormId: known.stormId,
    inStorm: known.inStorm,
    names: known.names,
    sureVerdict: known.sureVerdict,
    facts: known.facts,
    leadSeverity: known.leadSeverity,
    newNames: new Set(),
    changed: false,
    rewritten: false,
    newEpisode: known.newEpisode,
    continued: false,
    severityRaised: false,
    unacknowledged: false,
    routeBy: known.routeBy,
    rediagnose: false,
    mayBeOver: false,
  };
}

/** An incident of the database. `facts` are those of its last episode, needed only where it is resolved or flapping. */
export function storedIncident(
  { incident, names }: NamedIncident,
  facts: EpisodeFacts | null,
): PlannedIncident {
  return untouched({
    id: incident.id,
    source: incident.source,
    alertName: incident.alertName,
    alertKey: incident.alertKey,
    severity: incident.severity,
    severityNote: incident.severityNote,
    scope: incident.scope,
    state: incident.state,
    reopenedCount: incident.reopenedCount,
    episodeId: incident.episodeId,
    acknowledgedAtMs: incident.acknowledgedAtMs,
    resolvedAtMs: incident.resolvedAtMs,
    cycles: incident.cycles,
    flapping: incident.flapping,
    stormId: incident.stormId,
    inStorm: incident.inStorm,
    names: new Set(names),
    sureVerdict: incident.sureVerdict,
    facts,
    leadSeverity: incident.severity,
    newEpisode: null,
    routeBy: null,
  });
}

/** The incident that an alert opens, in its first episode. */
export function openedBy(alert: Alert, source: string, nowMs: number): PlannedIncident {
  return untouched({
    id: null,
    source,
    alertName: alert.name,
    alertKey: alert.alertKey,
    severity: alert.severity,
    severityNote: alert.severityNote,
    scope: alert.scope,
    state: 'open',
    reopenedCount: 0,
    episodeId: 0,
    acknowledgedAtMs: null,
    resolvedAtMs: null,
    cycles: begun([], nowMs),
    flapping: false,
    stormId: null,
    inStorm: false,
    names: new Set(),
    sureVerdict: null,
    facts: null,
    leadSeverity: alert.severity,
    newEpisode: { number: 1, startsAtMs: null, dedupKey: null },
    routeBy: alert.labels,
  });
}

/** The id of a stored incident. */
export function idOf(incident: PlannedIncident): number {
  if (incident.id === null) throw new Error('an incident is used before it is stored');
  return incident.id;
}

/** The columns of every timeline entry about an incident now. */
export function about(
  incident: PlannedIncident,
  nowMs: number,
): { readonly incidentId: number; readonly atMs: number } {
  return { incidentId: idOf(incident), atMs: nowMs };
}
