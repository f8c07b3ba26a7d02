/** Rows of incidents, episodes and their alerts as domain values, and JSON columns without prototypes. */

import type { Selectable } from 'kysely';
import { cyclesFromText } from '../domain/cycles.js';
import type { Episode, Incident } from '../domain/incident.js';
import type { IncidentAlert } from '../domain/incident-view.js';
import { type Labels, labelsFrom } from '../domain/labels.js';
import { sureVerdictFromText } from '../domain/sure-verdict.js';
import type { EpisodesTable, IncidentAlertsTable, IncidentsTable } from './tables.js';

/** Labels as they are stored: a JSON object. */
export function labelsToText(labels: Labels): string {
  return JSON.stringify(labels);
}

/** The reverse; a label called `__proto__` is a label like any other. */
export function labelsFromText(text: string): Labels {
  return labelsFrom(Object.entries(JSON.parse(text) as Record<string, string>));
}

export function toIncident(row: Selectable<IncidentsTable>): Incident {
  return {
    id: row.id,
    kind: row.kind,
    source: row.source,
    alertName: row.alert_name,
    alertKey: row.alert_key,
    severity: row.severity,
    severityNote: row.severity_note,
    scope: labelsFromText(row.scope),
    state: row.state,
    flags: {
      silenced: row.silenced === 1,
      recovering: row.recovering === 1,
      flapping: row.flapping === 1,
      inStorm: row.in_storm === 1,
    },
    silence:
      row.silenced === 1
        ? {
            by: row.silenced_by ?? 'somebody',
            comment: row.silence_comment ?? '',
            untilMs: row.silenced_until,
          }
        : null,
    revision: row.revision,
    episodeId: row.episode_id,
    openedAtMs: row.opened_at,
    acknowledgedAtMs: row.acknowledged_at,
    acknowledgedBy: row.acknowledged_by,
    resolvedAtMs: row.resolved_at,
    resolvedBy: row.resolved_by,
    reopenedCount: row.reopened_count,
    stormId: row.storm_id,
    foldedInto: row.folded_into,
    sureVerdict: sureVerdictFromText(row.sure_verdict),
    cycles: cyclesFromText(row.cycles),
  };
}

export function toEpisode(row: Selectable<EpisodesTable>): Episode {
  return {
    id: row.id,
    incidentId: row.incident_id,
    number: row.number,
    dedupKey: row.dedup_key,
    startedAtMs: row.started_at,
    endedAtMs: row.ended_at,
    severity: row.severity,
    resolveAttemptedAtMs: row.resolve_attempted_at,
    pagerResolvedAtMs: row.pager_resolved_at,
    pagerResolvedBy: row.pager_resolved_by,
    because: row.because,
  };
}

export function toIncidentAlert(row: Selectable<IncidentAlertsTable>): IncidentAlert {
  return {
    alertKey: row.alert_key,
    name: row.name,
    status: row.status,
    severity: row.severity,
    labels: labelsFromText(row.labels),
    annotations: labelsFromText(row.annotations),
    startsAtMs: row.starts_at,
    endsAtMs: row.ends_at,
    generatorUrl: row.generator_url,
    expression: row.expression,
    firstSeenAtMs: row.first_seen_at,
    lastSeenAtMs: row.last_seen_at,
    upstream: row.upstream === null ? null : { state: row.upstream, because: row.upstream_because },
  };
}
