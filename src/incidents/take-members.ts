/**
 * A page that names several is taken, or called over, as a whole: whoever does has those that still fire in hand. None
 * of them is closed by it, since nobody said of each that it is over.
 */

import type { Incident } from '../domain/incident.js';
import type { NewNotification } from '../domain/notification.js';
import type { Tx } from '../store/database.js';
import { createMemberStore } from '../store/member-store.js';
import { type ActRequest, stores } from './act.js';

const members = createMemberStore();

/** Makes the members of an umbrella the actor's, and returns the updates of their cards. Nothing for a problem. */
export async function takeMembers(
  tx: Tx,
  { id, kind }: Incident,
  { actor, via: through, nowMs }: ActRequest,
): Promise<NewNotification[]> {
  if (kind === 'problem') return [];
  const via = through ?? null;
  const taken = await members.takeMembers(tx, { umbrellaId: id, actor, via, nowMs });
  const episodes = new Map(taken.map(({ incidentId, episodeId }) => [incidentId, episodeId]));
  const cards = await stores.notifications.postedCards(tx, [...episodes.keys()]);
  return cards.map(({ incidentId, receiver }) => ({
    incidentId,
    episodeId: episodes.get(incidentId) ?? 0,
    receiver,
    purpose: 'card',
    dueAtMs: nowMs,
    createdAtMs: nowMs,
  }));
}
