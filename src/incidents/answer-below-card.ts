/** A person who pressed on a card could not be answered: the answer is said below the card, as soon as Slack takes it. */

import type { Database } from '../store/database.js';
import { readIncident } from '../store/incident-history.js';
import { stores } from './act.js';

/** One answer waits at a time, since it says how things stand when it is sent. Only where the press was made. */
export async function answerBelowCard(
  db: Database,
  {
    incidentId,
    channel,
    nowMs,
  }: { readonly incidentId: number; readonly channel: string; readonly nowMs: number },
): Promise<void> {
  await db.transaction(async (tx) => {
    const incident = await readIncident(tx, incidentId);
    if (incident === null) return;
    const history = await stores.notifications.notificationsOf(tx, incidentId);
    const waiting = new Set(
      history
        .filter(({ purpose, state }) => purpose === 'answer_reply' && state === 'queued')
        .map(({ receiver }) => receiver),
    );
    const cards = await stores.notifications.cardsIn(tx, incidentId, channel);
    await stores.notifications.enqueue(
      tx,
      cards
        .filter((receiver) => !waiting.has(receiver))
        .map((receiver) => ({
          incidentId,
          episodeId: incident.episodeId,
          receiver,
          purpose: 'answer_reply',
          dueAtMs: nowMs,
          createdAtMs: nowMs,
        })),
    );
  });
}
