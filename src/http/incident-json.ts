/** Incidents as the API says them: snake_case, RFC 3339 times in `*_at`, durations in `*_seconds`, ids as printed. */

import { findSignal } from '../catalog/signals.js';
import type { Recording } from '../diagnosis/recording.js';
import { type Incident, publicId } from '../domain/incident.js';
import type { IncidentAlert, IncidentView } from '../domain/incident-view.js';
import { type Explanation, REASONS, type Reason } from '../domain/reasons.js';
import type { TimelineEntry } from '../domain/timeline.js';
import type { UmbrellaView } from '../domain/umbrella.js';
import type { Diagnosis, Enrichment, Finding, Verdict } from '../domain/verdict.js';
import { headline, type SloLookup } from '../render/headline.js';
import { presentDiagnosis } from '../render/present-diagnosis.js';
import type { IncidentListItem } from '../store/incident-history.js';

/** RFC 3339 in UTC; null stays null. */
export function timeJson(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}

function incidentJson(incident: Incident) {
  return {
    id: publicId(incident.id),
    kind: incident.kind,
    state: incident.state,
    flags: {
      silenced: incident.flags.silenced,
      recovering: incident.flags.recovering,
      flapping: incident.flags.flapping,
      in_storm: incident.flags.inStorm,
    },
    silence:
      incident.silence === null
        ? null
        : {
            by: incident.silence.by,
            comment: incident.silence.comment,
            until_at: timeJson(incident.silence.untilMs),
          },
    severity: incident.severity,
    severity_note: incident.severityNote,
    alertname: incident.alertName,
    source: incident.source,
    scope: { ...incident.scope },
    revision: incident.revision,
    opened_at: timeJson(incident.openedAtMs),
    acknowledged_at: timeJson(incident.acknowledgedAtMs),
    acknowledged_by: incident.acknowledgedBy,
    resolved_at: timeJson(incident.resolvedAtMs),
    resolved_by: incident.resolvedBy,
    reopened_count: incident.reopenedCount,
    folded_into: incident.foldedInto === null ? null : publicId(incident.foldedInto),
    storm: incident.stormId === null ? null : publicId(incident.stormId),
    links: { self: `/api/v1/incidents/${publicId(incident.id)}`, html: `/i/${incident.id}` },
  };
}

export function listItemJson(item: IncidentListItem) {
  return {
    ...incidentJson(item),
    alert_count: item.alertCount,
    firing_count: item.firingCount,
    verdict:
      item.verdictSays === null
        ? null
        : { says: item.verdictSays, short: item.verdictShort, confidence: item.confidence },
  };
}

/** One incident with its diagnosis; its timeline has an address of its own, since it grows without a new revision. */
export function viewJson(view: IncidentView, slo: SloLookup) {
  const diagnosis = presentDiagnosis(view);
  return {
    ...incidentJson(view.incident),
    headline: headline(view, { slo }),
    umbrella: view.umbrella === null ? null : umbrellaJson(view.umbrella),
    alert_count: view.alertCount,
    firing_count: view.firingCount,
    alerts: view.alerts.map(alertJson),
    episode: {
      number: view.episode.number,
      dedup_key: view.episode.dedupKey,
      severity: view.episode.severity,
      started_at: timeJson(view.episode.startedAtMs),
      ended_at: timeJson(view.episode.endedAtMs),
      pager_resolved_at: timeJson(view.episode.pagerResolvedAtMs),
      pager_resolved_by: view.episode.pagerResolvedBy,
      because: view.episode.because,
    },
    paged_receivers: view.pagedReceivers,
    diagnosis: diagnosis === null ? null : diagnosisJson(diagnosis),
    after_resolve_diagnosis: view.afterDiagnosis === null ? null : diagnosisJson(view.afterDiagnosis),
  };
}

function alertJson(alert: IncidentAlert) {
  return {
    alertname: alert.name,
    status: alert.status,
    severity: alert.severity,
    labels: { ...alert.labels },
    annotations: { ...alert.annotations },
    starts_at: timeJson(alert.startsAtMs),
    ends_at: timeJson(alert.endsAtMs),
    generator_url: alert.generatorUrl,
    expression: alert.expression,
    first_seen_at: timeJson(alert.firstSeenAtMs),
    last_seen_at: timeJson(alert.lastSeenAtMs),
    upstream: alert.upstream === null ? null : { ...alert.upstream },
  };
}

function reasonJson({ code, detail, atMs, receiver }: Reason) {
  const { topic, says } = REASONS[code];
  return { code, topic, says, detail, at: timeJson(atMs), receiver };
}

/** Why somebody was woken, or was not. Codes are a closed list; `says` is the same for a code everywhere. */
export function explanationJson(incidentId: number, explanation: Explanation) {
  return {
    id: publicId(incidentId),
    paged: explanation.paged,
    summary: explanation.summary,
    reasons: explanation.reasons.map(reasonJson),
    alerts: explanation.alerts.map(({ name, alertKey, reasons }) => ({
      alertname: name,
      alert_key: alertKey,
      reasons: reasons.map(reasonJson),
    })),
  };
}

export function silenceJson(silence: {
  readonly id: string;
  readonly matchers: string;
  readonly endsAtMs: number;
}) {
  return { id: silence.id, matchers: silence.matchers, ends_at: timeJson(silence.endsAtMs) };
}

export function timelineJson(entry: TimelineEntry) {
  const { id, kind, actor, via, text } = entry;
  return { id, at: timeJson(entry.atMs), kind, actor, via, text };
}

export function diagnosisJson(diagnosis: Diagnosis) {
  return {
    id: diagnosis.id,
    trigger: diagnosis.trigger,
    started_at: timeJson(diagnosis.startedAtMs),
    finished_at: timeJson(diagnosis.finishedAtMs),
    took_seconds: (diagnosis.finishedAtMs - diagnosis.startedAtMs) / 1000,
    entry: diagnosis.entryId,
    entry_is_default: diagnosis.entryIsDefault,
    verdict: verdictJson(diagnosis.verdict),
    steps: diagnosis.findings.map(findingJson),
    enrichment: enrichmentJson(diagnosis.enrichment),
  };
}

function umbrellaJson({ members, memberCount, standingCount, criticalCount, groups, shared }: UmbrellaView) {
  return {
    member_count: memberCount,
    standing_count: standingCount,
    critical_count: criticalCount,
    shared: shared === null ? null : { says: shared.says, explains: shared.count, of: shared.of },
    groups: groups.map(({ name, severity, count, ids }) => ({
      alertname: name,
      severity,
      count,
      incidents: ids,
    })),
    members: members.map(({ id, kind, alertName, severity, state, scope, short }) => ({
      id: publicId(id),
      kind,
      alertname: alertName,
      severity,
      state,
      scope: { ...scope },
      verdict: short,
    })),
  };
}

function verdictJson(verdict: Verdict) {
  return {
    cause: verdict.cause,
    says: verdict.says,
    short: verdict.short,
    confidence: verdict.confidence,
    why: verdict.why,
    contributing: verdict.contributing,
    evidence: verdict.evidence,
    ruled_out: verdict.ruledOut,
    checked_absent: verdict.absent ?? [],
    unseen: verdict.unseen,
    fixes: verdict.fixes,
    do_not: verdict.wrongFixes,
    explains: verdict.explains,
  };
}

function findingJson(finding: Finding) {
  return {
    step: finding.stepId,
    title: finding.title,
    result: finding.status,
    reason: finding.reason ?? null,
    says: finding.says,
    value: finding.value,
    limit: finding.limit,
    spread: finding.spread,
    workers: finding.workers,
    worker_count: finding.workerCount,
    signal: finding.signal,
    engine: finding.engine,
    query: finding.query,
    trend: finding.trend,
    took_seconds: finding.tookMs / 1000,
    numbers: finding.numbers,
  };
}

function enrichmentJson(enrichment: Enrichment) {
  return {
    expression: enrichment.expression,
    value_now: enrichment.valueNow,
    value_hour_ago: enrichment.valueHourAgo,
    value_day_ago: enrichment.valueDayAgo,
    health: enrichment.health,
    workers_affected: enrichment.workersAffected,
    workers_total: enrichment.workersTotal,
    restarts_last_hour: enrichment.restartsLastHour,
    replica_changes_last_hour: enrichment.replicaChangesLastHour,
    unseen: enrichment.unseen,
  };
}

/** The frozen signals over time, what plots are drawn from. `points` are [ms since 1970, value], null is a gap. */
export function seriesJson(incidentId: number, diagnosisId: number, recording: Recording) {
  return {
    id: publicId(incidentId),
    diagnosis: diagnosisId,
    recorded_at: timeJson(recording.atMs),
    span_seconds: recording.spanMs / 1000,
    scope: recording.scope,
    data: Object.entries(recording.signals).map(([signal, { range }]) => ({
      signal,
      unit: findSignal(signal)?.unit ?? null,
      engine: range.engine,
      query: range.query,
      ...(range.kind === 'series'
        ? {
            kind: range.kind,
            series: range.series.map(({ worker, labels, points }) => ({ worker, labels, points })),
          }
        : { kind: range.kind, detail: range.detail, series: [] }),
    })),
  };
}
