/** Closes incidents whose last firing alert resolved in this batch. */

import type { Tx } from '../store/database.js';
import type { Told } from '../store/outbox-view.js';
import type { PlannedIncident } from './intake-types.js';
import type { IntakePlan } from './plan-intake.js';
import { followUps } from './told-receivers.js';
import type { FollowUps, WriteOptions, WriteStores } from './write-types.js';

/**
 * Runs after the alerts are stored, and asks the database what still fires. The pagers hear of it after the
 * hold, so that an alert that comes right back is one episode; cards and logs hear of it now.
 */
export async function resolveFinished(
  tx: Tx,
  stores: WriteStores,
  plan: IntakePlan,
  options: WriteOptions,
  follow: FollowUps,
): Promise<void> {
  const candidates = [...plan.incidents].filter((incident) => incident.mayBeOver && incident.id !== null);
  if (candidates.length === 0) return;
  const { nowMs } = options;
  const firing = await stores.alerts.firingCounts(
    tx,
    candidates.map((incident) => incident.id ?? 0),
  );
  const over = candidates.filter((incident) => !firing.has(incident.id ?? 0));
  if (over.length === 0) return;

  // What was gathered for them so far is not stored yet, and is part of who is told.
  await stores.notifications.enqueue(tx, follow.notifications.splice(0));
  const told = await stores.notifications.toldReceivers(
    tx,
    over.map((incident) => incident.id ?? 0),
  );
  const toldById = new Map<number, Told[]>();
  for (const one of told) toldById.set(one.incidentId, [...(toldById.get(one.incidentId) ?? []), one]);
  for (const incident of over) {
    const incidentId = incident.id ?? 0;
    const at = {
      incidentId,
      episodeId: incident.episodeId,
      nowMs,
      resolveDueAtMs: nowMs + options.resolveHoldMs,
    };
    await closeIncident(tx, stores, incident, nowMs);
    follow.notifications.push(...followUps(toldById.get(incidentId) ?? [], 'resolved', at));
    follow.work.push({
      incidentId,
      episodeId: incident.episodeId,
      trigger: 'resolved',
      dueAtMs: nowMs,
      createdAtMs: nowMs,
    });
    follow.timeline.push({
      incidentId,
      atMs: nowMs,
      kind: 'resolved',
      text: 'Resolved: none of its alerts fires any more',
      actor: 'wakewell',
    });
  }
}

async function closeIncident(
  tx: Tx,
  stores: WriteStores,
  incident: PlannedIncident,
  nowMs: number,
): Promise<void> {
  await stores.incidents.changeIncident(tx, incident.id ?? 0, {
    state: 'resolved',
    resolvedAtMs: nowMs,
    resolvedBy: incident.source,
    silence: null,
  });
  await stores.incidents.changeEpisode(tx, incident.episodeId, { endedAtMs: nowMs });
}
