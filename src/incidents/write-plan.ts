/** Stores what a plan decided, in bulk and in one order: bodies, incidents, episodes, alerts, then what follows from them. */

import { notificationsFor } from '../routing/route-table.js';
import type { Tx } from '../store/database.js';
import type { IncidentChange } from '../store/incident-store.js';
import { finishDedupKeys } from './finish-dedup-keys.js';
import type { PlannedIncident, ReceiveOutcome } from './intake-types.js';
import { announceStorms, joinStorms, stormNote } from './join-storms.js';
import type { IntakePlan, PlannedRequest } from './plan-intake.js';
import { about, idOf } from './planned-incident.js';
import { quarantineEntries } from './quarantine-entries.js';
import { refreshCards } from './refresh-cards.js';
import { resolveFinished } from './resolve-finished.js';
import type { FollowUps, WriteOptions, WriteStores } from './write-types.js';

/** Stores a plan. Returns one outcome a request, in their order. */
export async function writePlan(
  tx: Tx,
  stores: WriteStores,
  plan: IntakePlan,
  options: WriteOptions,
): Promise<ReceiveOutcome[]> {
  const { nowMs } = options;
  const receiptIds = await stores.receipts.insertReceipts(
    tx,
    plan.requests.map(({ input: { source, body, parsed } }) => ({
      receivedAtMs: nowMs,
      source,
      kind: parsed.kind,
      groupKey: parsed.kind === 'group' ? parsed.group.groupKey : null,
      truncatedAlerts: parsed.kind === 'group' ? parsed.group.truncatedAlerts : 0,
      alertCount: parsed.kind === 'group' ? parsed.group.alerts.length : 0,
      quarantinedCount: parsed.kind === 'group' ? parsed.group.quarantined.length : 0,
      body,
    })),
  );

  await writeEffects(tx, stores, plan, options, receiptIds);
  return plan.requests.map((request, index) => toOutcome(request, receiptIds[index] ?? 0));
}

/** Stores what follows from a plan, its bodies apart. `receiptIds` are those of its requests, in their order. */
export async function writeEffects(
  tx: Tx,
  stores: WriteStores,
  plan: IntakePlan,
  options: WriteOptions,
  receiptIds: readonly number[],
): Promise<void> {
  const { nowMs } = options;
  const follow: FollowUps = { timeline: [], work: [], notifications: [] };
  const storms = await joinStorms(tx, stores, plan, options, follow);
  await writeIncidents(tx, stores, [...plan.incidents], nowMs);
  await writeAlerts(tx, stores, plan, nowMs);
  for (const one of plan.happenings) {
    const many = one.count > 1 ? ` (${one.count} alerts)` : '';
    follow.timeline.push({
      ...about(one.incident, nowMs),
      kind: one.kind,
      text: `${one.text}${many}`,
      actor: one.actor,
    });
  }
  await quarantineEntries(tx, stores, plan.requests, receiptIds, follow, nowMs);
  for (const incident of plan.incidents) await announce(tx, stores, incident, options, follow);
  await announceStorms(tx, stores, storms, options, follow);
  await refreshCards(tx, stores, plan, follow, nowMs);
  await resolveFinished(tx, stores, plan, options, follow);

  await stores.notifications.enqueue(tx, follow.notifications);
  await stores.work.addWork(tx, follow.work);
  await stores.timeline.append(tx, follow.timeline);
}

async function writeIncidents(
  tx: Tx,
  stores: WriteStores,
  incidents: readonly PlannedIncident[],
  nowMs: number,
): Promise<void> {
  const fresh = incidents.filter((incident) => incident.id === null);
  const changed = incidents.filter((incident) => incident.changed && incident.id !== null);
  const ids = await stores.incidents.insertIncidents(
    tx,
    fresh.map((incident) => ({ ...incident, openedAtMs: nowMs })),
  );
  for (const [index, incident] of fresh.entries()) incident.id = ids[index] ?? null;

  for (const incident of changed) {
    if (incident.rewritten) await stores.incidents.changeIncident(tx, idOf(incident), changeOf(incident));
  }
  await stores.incidents.countChanges(tx, changed.filter((incident) => !incident.rewritten).map(idOf));

  const beginning = incidents.filter((incident) => incident.newEpisode !== null);
  await finishDedupKeys(tx, stores.incidents, beginning);
  const episodeIds = await stores.incidents.insertEpisodes(
    tx,
    beginning.map((incident) => ({
      incidentId: idOf(incident),
      number: incident.newEpisode?.number ?? 1,
      dedupKey: incident.newEpisode?.dedupKey ?? '',
      severity: incident.severity,
      startedAtMs: nowMs,
    })),
  );
  for (const [index, incident] of beginning.entries()) incident.episodeId = episodeIds[index] ?? 0;

  for (const incident of incidents) {
    if (incident.newEpisode !== null || !(incident.continued || incident.severityRaised)) continue;
    await stores.incidents.changeEpisode(tx, incident.episodeId, {
      severity: incident.severity,
      ...(incident.continued ? { endedAtMs: null } : {}),
    });
  }
  await stores.incidents.addNames(
    tx,
    incidents.flatMap((incident) =>
      [...incident.newNames].map((name) => ({ incidentId: idOf(incident), name })),
    ),
  );
}

function changeOf(incident: PlannedIncident): IncidentChange {
  const isNew = incident.newEpisode !== null;
  return {
    alertName: incident.alertName,
    alertKey: incident.alertKey,
    severity: incident.severity,
    severityNote: incident.severityNote,
    state: incident.state,
    cycles: incident.cycles,
    ...(isNew || incident.unacknowledged ? { acknowledgedAtMs: null, acknowledgedBy: null } : {}),
    ...(isNew || incident.continued ? { resolvedAtMs: null, resolvedBy: null } : {}),
    ...(isNew ? { reopenedCount: incident.reopenedCount, sureVerdict: null } : {}),
  };
}

async function writeAlerts(tx: Tx, stores: WriteStores, plan: IntakePlan, nowMs: number): Promise<void> {
  const writes = [];
  const touched = [];
  for (const planned of plan.alerts) {
    if (planned.write !== null) {
      writes.push({ incidentId: idOf(planned.incident), alert: planned.write, seenAtMs: nowMs });
    } else if (planned.id !== null) {
      touched.push(planned.id);
    }
  }
  await stores.alerts.saveAlerts(tx, writes);
  await stores.alerts.touchAlerts(tx, touched, nowMs);
}

/** Gathers the work and the notifications of one incident that fires, fires again, or has news. */
async function announce(
  tx: Tx,
  stores: WriteStores,
  incident: PlannedIncident,
  options: WriteOptions,
  follow: FollowUps,
): Promise<void> {
  const { nowMs } = options;
  const incidentId = idOf(incident);
  const { episodeId } = incident;
  if (incident.continued || incident.newEpisode !== null) {
    const reason = 'the alert fires again';
    if (incident.continued) await stores.notifications.dropHeldResolves(tx, { episodeId, reason, nowMs });
    if (incident.facts !== null)
      await stores.work.withdrawWork(tx, { incidentId, trigger: 'resolved', reason });
  }
  if (incident.newEpisode !== null || incident.rediagnose) {
    const trigger = incident.newEpisode !== null ? 'opened' : 'joined';
    follow.work.push({ incidentId, episodeId, trigger, dueAtMs: nowMs, createdAtMs: nowMs });
  }
  if (incident.routeBy === null) return;

  const { severity } = incident;
  const routes = options.route(severity, { ...incident.routeBy, severity });
  const umbrellaId = incident.inStorm ? incident.stormId : null;
  for (const { receiver, kind } of routes) {
    for (const purpose of notificationsFor(kind, 'fired', severity)) {
      const isWithheld = umbrellaId !== null && (purpose === 'page' || purpose === 'card');
      // A card that stands is brought up to date with the others; one that does not waits already.
      if (isWithheld && purpose === 'card' && incident.newEpisode?.number !== 1) continue;
      follow.notifications.push({
        incidentId,
        episodeId,
        receiver,
        purpose,
        dueAtMs: nowMs + options.pageDeadlineMs,
        createdAtMs: nowMs,
        ...(isWithheld ? { umbrellaId } : {}),
      });
    }
  }
  follow.timeline.push({
    ...about(incident, nowMs),
    kind: 'routed',
    text:
      routes.length === 0
        ? `Recorded only: no receiver for ${severity}`
        : `Routed to ${routes.map(({ receiver, why }) => (why === undefined ? receiver : `${receiver} (${why})`)).join(', ')}${umbrellaId === null ? '' : `; ${stormNote(umbrellaId)}`}`,
    actor: 'wakewell',
  });
}

function toOutcome(request: PlannedRequest, receiptId: number): ReceiveOutcome {
  const { parsed } = request.input;
  return {
    receiptId,
    incidentIds: [...request.incidents].map(idOf),
    opened: request.opened,
    joined: request.joined,
    repeated: request.repeated,
    resolved: request.resolved,
    ignored: request.ignored,
    quarantined: parsed.kind === 'group' ? parsed.group.quarantined.length : 0,
  };
}
