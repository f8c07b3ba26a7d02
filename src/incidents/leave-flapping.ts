/** Ends flapping once nothing changed for a while: an incident where nothing fires is over then, one that fires goes on. */

import { isQuiet, lastChangeMs, settled } from '../domain/cycles.js';
import type { Incident } from '../domain/incident.js';
import type { NewNotification } from '../domain/notification.js';
import { minutesBetween } from '../render/duration.js';
import type { Tx } from '../store/database.js';
import { followUps } from './told-receivers.js';
import type { Upkeep } from './upkeep.js';

/** A change further ahead than this was recorded by a clock that was wrong. */
const CLOCK_STEP_MS = 5_000;

/** Makes the part of the upkeep that looks after flapping incidents. */
export function createLeaveFlapping(options: { readonly quietMs: number }): Upkeep {
  return async function leaveFlapping(tx, stores, nowMs) {
    const flapping = await stores.incidents.findFlapping(tx);
    const due = flapping.filter((incident) => isDue(incident, nowMs, options.quietMs));
    if (due.length === 0) return false;
    const firing = await stores.alerts.firingCounts(
      tx,
      due.map(({ id }) => id),
    );
    for (const incident of due) {
      const isOver = isQuiet(incident.cycles) && !firing.has(incident.id);
      if (incident.state !== 'resolved' && isOver) await close(tx, stores, incident, nowMs, options.quietMs);
      else await goOn(tx, stores, incident, nowMs, options.quietMs);
    }
    return true;
  };
}

function isDue({ state, cycles }: Incident, nowMs: number, quietMs: number): boolean {
  const changedAtMs = lastChangeMs(cycles);
  if (state === 'resolved' || changedAtMs === null) return true;
  return changedAtMs <= nowMs - quietMs || changedAtMs > nowMs + CLOCK_STEP_MS;
}

type Stores = Parameters<Upkeep>[1];

/** The hold of its resolve is over with the quiet, so pagers hear of it at once. */
async function close(
  tx: Tx,
  stores: Stores,
  incident: Incident,
  nowMs: number,
  quietMs: number,
): Promise<void> {
  const { id: incidentId, episodeId } = incident;
  await stores.incidents.changeIncident(tx, incidentId, {
    state: 'resolved',
    resolvedAtMs: nowMs,
    resolvedBy: incident.source,
    silence: null,
    flags: { flapping: false },
    cycles: [],
  });
  await stores.incidents.changeEpisode(tx, episodeId, { endedAtMs: nowMs });
  const told = await stores.notifications.toldReceivers(tx, [incidentId]);
  await stores.notifications.enqueue(tx, followUps(told, 'resolved', { incidentId, episodeId, nowMs }));
  await stores.work.addWork(tx, [
    { incidentId, episodeId, trigger: 'resolved', dueAtMs: nowMs, createdAtMs: nowMs },
  ]);
  const text = `Resolved: quiet for ${minutesBetween(0, quietMs)}, it flaps no more`;
  await stores.timeline.append(tx, [{ incidentId, atMs: nowMs, kind: 'resolved', text, actor: 'wakewell' }]);
}

async function goOn(
  tx: Tx,
  stores: Stores,
  incident: Incident,
  nowMs: number,
  quietMs: number,
): Promise<void> {
  const { id: incidentId, episodeId } = incident;
  await stores.incidents.changeIncident(tx, incidentId, {
    flags: { flapping: false },
    cycles: settled(incident.cycles),
  });
  if (incident.state === 'resolved') return;
  const text = `Flaps no more: it has fired for ${minutesBetween(0, quietMs)} without a break`;
  await stores.timeline.append(tx, [{ incidentId, atMs: nowMs, kind: 'flapping', text, actor: 'wakewell' }]);
  const cards = (await stores.notifications.postedCards(tx, [incidentId])).map(
    ({ receiver }): NewNotification => ({
      incidentId,
      episodeId,
      receiver,
      purpose: 'card',
      dueAtMs: nowMs,
      createdAtMs: nowMs,
    }),
  );
  await stores.notifications.enqueue(tx, cards);
}
