/** Reads what a batch of webhook calls may touch. A batch of nothing but repeats costs one query. */

import type { Alert } from '../domain/alert.js';
import type { AlertStore, KnownAlert } from '../store/alert-store.js';
import type { Tx } from '../store/database.js';
import type { IncidentStore } from '../store/incident-store.js';
import type { NamedIncident } from '../store/known-incident-store.js';
import type { IntakeInput, PlannedIncident, PlanOptions } from './intake-types.js';
import type { Planner } from './plan-intake.js';
import { storedIncident } from './planned-incident.js';
import { unreadableAlert } from './unreadable-alert.js';

export type PlanStores = { readonly alerts: AlertStore; readonly incidents: IncidentStore };

/** Fills a planner with the incidents and alerts that these calls concern. */
export async function loadPlanState(
  tx: Tx,
  stores: PlanStores,
  inputs: readonly IntakeInput[],
  options: PlanOptions,
  planner: Planner,
): Promise<void> {
  const asked = inputs.flatMap((input) => alertsOf(input).map((alert) => ({ alert, source: input.source })));
  if (asked.length === 0) return;
  const sinceMs = options.nowMs - Math.max(options.reopenWindowMs, options.resolveHoldMs);
  const keys = [...new Set(asked.map(({ alert }) => alert.alertKey))];
  const known = await stores.alerts.findKnownAlerts(tx, keys, sinceMs);

  // An alert that a running incident has cannot join or reopen another.
  const running = new Set(known.filter((one) => one.incidentState !== 'resolved').map((one) => one.alertKey));
  const homeless = asked.filter(({ alert }) => alert.status === 'firing' && !running.has(alert.alertKey));

  const named = new Map<number, NamedIncident>();
  if (homeless.length > 0) {
    const sources = [...new Set(homeless.map(({ source }) => source))];
    const names = [...new Set(homeless.map(({ alert }) => alert.name))];
    for (const one of await stores.incidents.findOpenIncidents(tx, sources)) named.set(one.incident.id, one);
    for (const one of await stores.incidents.findResolvedSince(tx, { sources, names, sinceMs })) {
      named.set(one.incident.id, one);
    }
  }
  const missing = new Set(known.map((one) => one.incidentId).filter((id) => !named.has(id)));
  for (const incident of await stores.incidents.findKnownIncidents(tx, [...missing])) {
    named.set(incident.id, { incident, names: namesOf(known, incident.id, incident.alertName) });
  }

  const mayBeginAnew = [...named.values()].filter(
    ({ incident }) => incident.state === 'resolved' || incident.flapping,
  );
  const facts = await stores.incidents.episodeFacts(
    tx,
    mayBeginAnew.map((one) => one.incident.episodeId),
  );
  const planned = new Map<number, PlannedIncident>();
  for (const one of [...named.values()].sort((a, b) => a.incident.id - b.incident.id)) {
    const incident = storedIncident(one, facts.get(one.incident.episodeId) ?? null);
    planned.set(one.incident.id, incident);
    planner.addKnownIncident(incident);
  }
  for (const one of known) {
    const incident = planned.get(one.incidentId);
    if (incident === undefined) continue;
    planner.addKnownAlert({
      incident,
      id: one.id,
      alertKey: one.alertKey,
      status: one.status,
      startsAtMs: one.startsAtMs,
      endsAtMs: one.endsAtMs,
      lastSeenAtMs: one.lastSeenAtMs,
      write: null,
      touched: false,
    });
  }
}

function alertsOf(input: IntakeInput): readonly Pick<Alert, 'alertKey' | 'status' | 'name'>[] {
  const { parsed, source, body } = input;
  if (parsed.kind === 'unreadable')
    return [unreadableAlert({ source, reason: parsed.reason, content: body })];
  const [bad] = parsed.group.quarantined;
  if (bad === undefined) return parsed.group.alerts;
  return [...parsed.group.alerts, unreadableAlert({ source, reason: bad.reason, content: bad.raw })];
}

function namesOf(known: readonly KnownAlert[], incidentId: number, leadName: string): string[] {
  const names = known.filter((one) => one.incidentId === incidentId).map((one) => one.name);
  return [...new Set([leadName, ...names])];
}
