/** Closes incidents whose last firing alert resolved in this batch, unless they have done so too often. */

import { ended, flaps } from '../domain/cycles.js';
import { minutesBetween } from '../render/duration.js';
import type { Tx } from '../store/database.js';
import type { Told } from '../store/outbox-view.js';
import type { PlannedIncident } from './intake-types.js';
import type { IntakePlan } from './plan-intake.js';
import { about, idOf } from './planned-incident.js';
import { followUps } from './told-receivers.js';
import type { FollowUps, WriteOptions, WriteStores } from './write-types.js';

/**
 * Runs after the alerts are stored, and asks the database what still fires. The pagers hear of an end after the
 * hold, so that an alert that comes right back is one episode; cards and logs hear of it now. An incident that
 * flaps stays open instead, until it was quiet for a while (see `leave-flapping.ts`).
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
  const firing = await stores.alerts.firingCounts(tx, candidates.map(idOf));
  const over: PlannedIncident[] = [];
  for (const incident of candidates) {
    if (firing.has(idOf(incident))) continue;
    incident.cycles = ended(incident.cycles, options.nowMs);
    if (incident.flapping || flaps(incident.cycles, options.flapping, options.nowMs)) {
      await keepFlapping(tx, stores, incident, options, follow);
    } else over.push(incident);
  }
  if (over.length > 0) await close(tx, stores, over, options, follow);
}

/** Nothing fires, and it stays open: who was woken is neither told that it is over nor woken again. */
async function keepFlapping(
  tx: Tx,
  stores: WriteStores,
  incident: PlannedIncident,
  { nowMs, flapping }: WriteOptions,
  follow: FollowUps,
): Promise<void> {
  const { cycles } = incident;
  await stores.incidents.changeIncident(tx, idOf(incident), { cycles, flags: { flapping: true } });
  if (incident.flapping) return;
  const firstMs = cycles.at(-flapping.cycles)?.firedAtMs ?? nowMs;
  follow.timeline.push({
    ...about(incident, nowMs),
    kind: 'flapping',
    text:
      `Flapping: it fired and resolved ${flapping.cycles} times in ${minutesBetween(firstMs, nowMs)}. ` +
      `It stays open until it was quiet for ${minutesBetween(0, flapping.quietMs)}, and wakes nobody again`,
    actor: 'wakewell',
  });
}

async function close(
  tx: Tx,
  stores: WriteStores,
  over: readonly PlannedIncident[],
  options: WriteOptions,
  follow: FollowUps,
): Promise<void> {
  const { nowMs } = options;
  // What was gathered for them so far is not stored yet, and is part of who is told.
  await stores.notifications.enqueue(tx, follow.notifications.splice(0));
  const told = await stores.notifications.toldReceivers(tx, over.map(idOf));
  const toldById = new Map<number, Told[]>();
  for (const one of told) toldById.set(one.incidentId, [...(toldById.get(one.incidentId) ?? []), one]);
  for (const incident of over) {
    const incidentId = idOf(incident);
    const { episodeId } = incident;
    await stores.incidents.changeIncident(tx, incidentId, {
      state: 'resolved',
      resolvedAtMs: nowMs,
      resolvedBy: incident.source,
      silence: null,
      cycles: incident.cycles,
    });
    await stores.incidents.changeEpisode(tx, episodeId, { endedAtMs: nowMs });
    const at = { incidentId, episodeId, nowMs, resolveDueAtMs: nowMs + options.resolveHoldMs };
    follow.notifications.push(...followUps(toldById.get(incidentId) ?? [], 'resolved', at));
    follow.work.push({ incidentId, episodeId, trigger: 'resolved', dueAtMs: nowMs, createdAtMs: nowMs });
    follow.timeline.push({
      ...about(incident, nowMs),
      kind: 'resolved',
      text: 'Resolved: none of its alerts fires any more',
      actor: 'wakewell',
    });
  }
}
