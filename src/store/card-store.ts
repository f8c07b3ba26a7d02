/** Messages that can be updated in place: where the one card of an incident lives at each receiver. */

import type { CardRef } from '../domain/notification.js';
import { listStatement } from './bulk.js';
import type { Tx } from './tables.js';

const selectPosted = listStatement((tx, incidentIds) =>
  tx
    .selectFrom('cards')
    .select(['incident_id', 'receiver'])
    .distinct()
    .where('incident_id', 'in', incidentIds)
    .orderBy('incident_id')
    .orderBy('receiver')
    .compile(),
);

export type CardReceivers = {
  /** Receivers whose card was posted. */
  readonly posted: readonly string[];
  /** Receivers whose first card still waits or is under way. */
  readonly waiting: readonly string[];
};

export function createCardStore() {
  return {
    /** Where the card of an incident lives at a receiver; null when none was posted. */
    async readCard(
      tx: Tx,
      key: { readonly incidentId: number; readonly receiver: string },
    ): Promise<CardRef | null> {
      const row = await tx
        .selectFrom('cards')
        .selectAll()
        .where('incident_id', '=', key.incidentId)
        .where('receiver', '=', key.receiver)
        .executeTakeFirst();
      if (row === undefined) return null;
      return { channel: row.channel, messageId: row.message_id, contentHash: row.content_hash };
    },

    /** Remembers a posted or updated card. */
    async saveCard(
      tx: Tx,
      saved: {
        readonly incidentId: number;
        readonly receiver: string;
        readonly card: CardRef;
        readonly nowMs: number;
      },
    ): Promise<void> {
      const content = {
        channel: saved.card.channel,
        message_id: saved.card.messageId,
        content_hash: saved.card.contentHash,
        updated_at: saved.nowMs,
      };
      await tx
        .insertInto('cards')
        .values({ incident_id: saved.incidentId, receiver: saved.receiver, ...content })
        .onConflict((conflict) => conflict.columns(['incident_id', 'receiver']).doUpdateSet(content))
        .execute();
    },

    /** Where cards of these incidents stand. */
    async postedCards(
      tx: Tx,
      incidentIds: readonly number[],
    ): Promise<{ readonly incidentId: number; readonly receiver: string }[]> {
      const rows = await selectPosted.run(tx, incidentIds);
      return rows.map((row) => ({ incidentId: row.incident_id, receiver: row.receiver }));
    },

    /** Receivers whose card of an incident stands in a channel. */
    async cardsIn(tx: Tx, incidentId: number, channel: string): Promise<string[]> {
      const rows = await tx
        .selectFrom('cards')
        .select('receiver')
        .where('incident_id', '=', incidentId)
        .where('channel', '=', channel)
        .orderBy('receiver')
        .execute();
      return rows.map((row) => row.receiver);
    },

    /** Which receivers have the card of an incident, and which wait for their first. */
    async cardReceivers(tx: Tx, incidentId: number): Promise<CardReceivers> {
      const cards = await tx
        .selectFrom('cards')
        .select('receiver')
        .where('incident_id', '=', incidentId)
        .orderBy('receiver')
        .execute();
      const posted = cards.map((row) => row.receiver);
      const unfinished = await tx
        .selectFrom('notifications')
        .select('receiver')
        .distinct()
        .where('incident_id', '=', incidentId)
        .where('purpose', '=', 'card')
        .where('state', 'in', ['queued', 'sending'])
        .orderBy('receiver')
        .execute();
      const waiting = unfinished.map((row) => row.receiver).filter((receiver) => !posted.includes(receiver));
      return { posted, waiting };
    },

    /** Counts a change that a reader of the incident can see. */
    async bumpRevision(tx: Tx, incidentId: number): Promise<void> {
      await tx
        .updateTable('incidents')
        .set((eb) => ({ revision: eb('revision', '+', 1) }))
        .where('id', '=', incidentId)
        .execute();
    },
  };
}
