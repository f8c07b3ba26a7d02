/** An umbrella is taken, and over, with all that it speaks for. */

import type { Incident } from '../domain/incident.js';
import type { Tx } from '../store/database.js';
import { roomAt } from './room-at.js';
import { type FollowUpEvent, followUps } from './told-receivers.js';
import type { UmbrellaOptions, UmbrellaStores } from './umbrella-types.js';

/** Brings the state of an umbrella in line with its members. True when it changed. */
export async function settleUmbrella(
  tx: Tx,
  stores: UmbrellaStores,
  options: UmbrellaOptions,
  umbrella: Incident,
  nowMs: number,
): Promise<boolean> {
  const spoken = await stores.withheld.spokenFor(tx, umbrella.id, nowMs - options.resolveHoldMs);
  if (spoken.standing === 0) {
    if (!(await mayEnd(tx, stores, options, umbrella, nowMs))) return false;
    await end(tx, stores, umbrella, nowMs);
    return true;
  }
  if (umbrella.state !== 'open' || spoken.untaken > 0 || spoken.taken === 0) return false;
  await take(tx, stores, umbrella, spoken.takenBy, nowMs);
  return true;
}

/**
 * While its receiver has no room a bundle stays, because what comes next must be named in some page; a storm stays
 * until it has passed.
 */
async function mayEnd(
  tx: Tx,
  stores: UmbrellaStores,
  { ceilings }: UmbrellaOptions,
  { id, kind }: Incident,
  nowMs: number,
): Promise<boolean> {
  if (kind === 'storm') return !(await stores.storms.isStormOn(tx, id));
  for (const receiver of await stores.withheld.pageReceivers(tx, id)) {
    const standing = await stores.notifications.standingBundle(tx, receiver);
    if (standing?.incidentId !== id) continue;
    const room = await roomAt(tx, stores.notifications, { receiver, ceilings, nowMs });
    if (room === 'none') return false;
  }
  return true;
}

async function end(tx: Tx, stores: UmbrellaStores, umbrella: Incident, nowMs: number): Promise<void> {
  const { id, source } = umbrella;
  await stores.withheld.closeSpokenFor(tx, id, nowMs);
  await stores.incidents.changeIncident(tx, id, {
    state: 'resolved',
    resolvedAtMs: nowMs,
    resolvedBy: source,
  });
  await stores.incidents.changeEpisode(tx, umbrella.episodeId, { endedAtMs: nowMs });
  await tell(tx, stores, umbrella, 'resolved', 'Resolved: all that it spoke for is over', source, nowMs);
}

async function take(
  tx: Tx,
  stores: UmbrellaStores,
  umbrella: Incident,
  by: string | null,
  nowMs: number,
): Promise<void> {
  await stores.incidents.changeIncident(tx, umbrella.id, {
    state: 'acknowledged',
    acknowledgedAtMs: nowMs,
    acknowledgedBy: by,
  });
  const text = 'Acknowledged with all that it speaks for';
  await tell(tx, stores, umbrella, 'acknowledged', text, by ?? 'wakewell', nowMs);
}

async function tell(
  tx: Tx,
  stores: UmbrellaStores,
  { id: incidentId, episodeId }: Incident,
  event: Extract<FollowUpEvent, 'acknowledged' | 'resolved'>,
  text: string,
  actor: string,
  nowMs: number,
): Promise<void> {
  const told = await stores.notifications.toldReceivers(tx, [incidentId]);
  await stores.notifications.enqueue(tx, followUps(told, event, { incidentId, episodeId, nowMs }));
  await stores.timeline.append(tx, [{ incidentId, atMs: nowMs, kind: event, text, actor }]);
}
