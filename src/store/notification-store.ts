/** The outbox: what is to be said, and everything that is known of it. `claim-store.ts` takes it out. */

import { sql } from 'kysely';
import type { NewNotification } from '../domain/notification.js';
import { bulkStatement, placeholderRows } from './bulk.js';
import { createCardStore } from './card-store.js';
import { createClaimStore } from './claim-store.js';
import { createClimbStore } from './climb-store.js';
import { createOutboxView } from './outbox-view.js';
import { createPageCountStore } from './page-count-store.js';
import { createResolveStore } from './resolve-store.js';
import type { Tx } from './tables.js';
import { createUmbrellaStore } from './umbrella-store.js';

export type NotificationStore = ReturnType<typeof createNotificationStore>;

const COLUMNS = [
  'incident_id',
  'episode_id',
  'receiver',
  'purpose',
  'state',
  'due_at',
  'created_at',
  'on_behalf_of',
  'umbrella_id',
] as const;

/** A card that waits already is made due earlier, never stored twice. */
const insertCards = bulkStatement((tx, count) =>
  tx
    .insertInto('notifications')
    .values(placeholderRows('notifications', COLUMNS, count))
    .onConflict((conflict) =>
      conflict
        .columns(['incident_id', 'receiver'])
        .where(sql<boolean>`purpose = 'card' and state = 'queued'`)
        .doUpdateSet({
          due_at: sql`case when excluded.due_at < notifications.due_at then excluded.due_at else notifications.due_at end`,
        }),
    )
    .compile(),
);

const insertOthers = bulkStatement((tx, count) =>
  tx
    .insertInto('notifications')
    .values(placeholderRows('notifications', COLUMNS, count))
    .onConflict((conflict) => conflict.doNothing())
    .compile(),
);

export function createNotificationStore() {
  return {
    ...createCardStore(),
    ...createClaimStore(),
    ...createClimbStore(),
    ...createOutboxView(),
    ...createResolveStore(),
    ...createPageCountStore(),
    ...createUmbrellaStore(),

    /** Stores notifications. One that is stored already (a page of the same episode, a waiting card) is not stored again. */
    async enqueue(tx: Tx, notifications: readonly NewNotification[]): Promise<void> {
      await insertOthers.run(tx, notifications.filter((one) => one.purpose !== 'card').map(toRow));
      await insertCards.run(tx, notifications.filter((one) => one.purpose === 'card').map(toRow));
    },

    /** Makes what waits for the first time of an incident due now. Held resolves and retries keep their time. */
    async pullForward(tx: Tx, incidentId: number, nowMs: number): Promise<void> {
      await tx
        .updateTable('notifications')
        .set({ due_at: nowMs })
        .where('incident_id', '=', incidentId)
        .where('state', '=', 'queued')
        .where('attempts', '=', 0)
        .where('due_at', '>', nowMs)
        .where('purpose', '<>', 'page_resolve')
        .execute();
    },
  };
}

function toRow(one: NewNotification): unknown[] {
  const { incidentId, episodeId, receiver, purpose, dueAtMs, createdAtMs } = one;
  const { onBehalfOf = null, umbrellaId = null } = one;
  const state = umbrellaId === null ? 'queued' : 'withheld';
  return [incidentId, episodeId, receiver, purpose, state, dueAtMs, createdAtMs, onBehalfOf, umbrellaId];
}
