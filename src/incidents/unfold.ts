/**
 * Taking apart what a later diagnosis no longer holds together: alerts that the cause now found does not explain get
 * an incident of their own again, opened as if they had just fired, and paged if they are critical.
 */

import type { Alert } from '../domain/alert.js';
import { type Incident, publicId } from '../domain/incident.js';
import type { IncidentAlert } from '../domain/incident-view.js';
import { scopeOf } from '../domain/scope.js';
import { compareSeverity, type Severity } from '../domain/severity.js';
import type { Tx } from '../store/database.js';
import type { FoldDeps } from './fold-deps.js';
import type { PlannedIncident } from './intake-types.js';
import { createPlanner } from './plan-intake.js';
import { idOf } from './planned-incident.js';
import { writeEffects } from './write-plan.js';

/** Takes out of `incident` what its sure verdict does not explain, and returns it as it is then. */
export async function unfoldUnexplained(
  tx: Tx,
  deps: FoldDeps,
  incident: Incident,
  nowMs: number,
): Promise<Incident> {
  const verdict = incident.sureVerdict;
  if (verdict === null) return incident;
  const firing = await deps.folding.firingAlerts(tx, incident.id);
  const explained = firing.filter(({ name }) => verdict.explains.includes(name));
  const others = firing.filter(({ name }) => !verdict.explains.includes(name));
  if (explained.length === 0 || others.length === 0) return incident;

  // Somebody was woken for the most severe part, so that part keeps the page and the other one leaves.
  const keepsOthers =
    compareSeverity(worst(others), worst(explained)) > 0 && (await isPaged(tx, deps, incident));
  const [leaving, staying] = keepsOthers ? [explained, others] : [others, explained];
  await release(tx, deps, incident, leaving, nowMs);
  return keepsOthers ? followLead(tx, deps, incident, staying, nowMs) : incident;
}

async function release(
  tx: Tx,
  deps: FoldDeps,
  incident: Incident,
  leaving: readonly IncidentAlert[],
  nowMs: number,
): Promise<void> {
  const names = [...new Set(leaving.map(({ name }) => name))];
  await deps.folding.removeAlerts(tx, {
    incidentId: incident.id,
    alertKeys: leaving.map(({ alertKey }) => alertKey),
    names,
  });
  const opened = await openAnew(tx, deps, incident, leaving, nowMs);
  const diagnosis = await deps.diagnoses.speakingOf(tx, incident.id, incident.episodeId);
  const cause =
    diagnosis === null ? 'the cause now found' : `the cause now found (${diagnosis.verdict.says})`;
  const base = { atMs: nowMs, kind: 'unfolded', actor: 'wakewell' } as const;
  const into = opened.map((one) => publicId(idOf(one))).join(', ');
  await deps.timeline.append(tx, [
    {
      ...base,
      incidentId: incident.id,
      text: `${names.join(', ')} goes on as ${into}: ${cause} does not explain it`,
    },
    ...opened.map((one) => ({
      ...base,
      incidentId: idOf(one),
      text: `Was part of ${publicId(incident.id)} until ${cause} did not explain it`,
    })),
  ]);
  await deps.incidents.countChanges(tx, [incident.id]);
}

/** What left fires anew. Where another incident explains it, its own diagnosis will fold it there. */
async function openAnew(
  tx: Tx,
  deps: FoldDeps,
  incident: Incident,
  leaving: readonly IncidentAlert[],
  nowMs: number,
): Promise<PlannedIncident[]> {
  const planner = createPlanner({
    explains: deps.explains,
    nowMs,
    reopenWindowMs: 0,
    resolveHoldMs: deps.resolveHoldMs,
  });
  planner.receive({
    source: incident.source,
    body: new Uint8Array(),
    parsed: {
      kind: 'group',
      group: {
        source: incident.source,
        groupKey: '',
        groupLabels: {},
        receiver: '',
        externalUrl: null,
        truncatedAlerts: 0,
        alerts: leaving.map((alert) => asFired(alert, deps.scopeLabels)),
        quarantined: [],
      },
    },
  });
  await writeEffects(tx, deps, planner.plan, { ...deps, nowMs }, []);
  return [...planner.plan.incidents];
}

function asFired(alert: IncidentAlert, scopeLabels: readonly string[]): Alert {
  return {
    ...alert,
    fingerprint: null,
    status: 'firing',
    severityNote: null,
    scope: scopeOf(alert.labels, scopeLabels),
    endsAtMs: null,
  };
}

/** The incident is now about what stayed: it is diagnosed anew, since what was found is about what left. */
async function followLead(
  tx: Tx,
  deps: FoldDeps,
  incident: Incident,
  staying: readonly IncidentAlert[],
  nowMs: number,
): Promise<Incident> {
  const lead = staying.reduce((a, b) => (compareSeverity(b.severity, a.severity) > 0 ? b : a));
  const { id: incidentId, episodeId } = incident;
  await deps.incidents.changeIncident(tx, incidentId, {
    alertName: lead.name,
    alertKey: lead.alertKey,
    sureVerdict: null,
  });
  await deps.work.addWork(tx, [
    { incidentId, episodeId, trigger: 'asked', dueAtMs: nowMs, createdAtMs: nowMs },
  ]);
  return { ...incident, alertName: lead.name, alertKey: lead.alertKey, sureVerdict: null };
}

async function isPaged(tx: Tx, deps: FoldDeps, incident: Incident): Promise<boolean> {
  const pages = await deps.folding.pagesOf(tx, [incident.id]);
  return pages.some(({ state }) => state === 'sent' || state === 'sending');
}

function worst(alerts: readonly IncidentAlert[]): Severity {
  return alerts.reduce<Severity>(
    (severity, alert) => (compareSeverity(alert.severity, severity) > 0 ? alert.severity : severity),
    'info',
  );
}
