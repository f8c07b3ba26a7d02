/** Cards of incidents that have news which nothing else would show: one alert more of a known name, or one less. */

import type { Tx } from '../store/database.js';
import type { IntakePlan } from './plan-intake.js';
import type { FollowUps, WriteStores } from './write-types.js';

/** Asks for an update of the cards that stand. What is routed or diagnosed anew gets one by that. */
export async function refreshCards(
  tx: Tx,
  stores: WriteStores,
  plan: IntakePlan,
  follow: FollowUps,
  nowMs: number,
): Promise<void> {
  const changed = [...plan.incidents].filter(
    (one) =>
      one.changed && (one.routeBy === null || one.inStorm) && !one.rediagnose && one.state !== 'resolved',
  );
  const ids = new Map(changed.map((one) => [one.id ?? 0, one.episodeId]));
  for (const { incidentId, receiver } of await stores.notifications.postedCards(tx, [...ids.keys()])) {
    follow.notifications.push({
      incidentId,
      episodeId: ids.get(incidentId) ?? 0,
      receiver,
      purpose: 'card',
      dueAtMs: nowMs,
      createdAtMs: nowMs,
    });
  }
}
