/** What the outbox looks like from outside: for the /outbox page, and for who is told of later changes. */

import { sql } from 'kysely';
import type { Notification, Purpose } from '../domain/notification.js';
import type { Severity } from '../domain/severity.js';
import { listSlices } from './bulk.js';
import { toNotification } from './notification-row.js';
import type { Tx } from './tables.js';

export type OutboxItem = Notification & {
  readonly alertName: string;
  readonly severity: Severity;
  /** What the receiver called the message. */
  readonly ref: string | null;
};

/** A receiver that was told of an incident, and in which form. */
export type Told = { readonly incidentId: number; readonly receiver: string; readonly purpose: Purpose };

export function createOutboxView() {
  return {
    /** The newest notifications, newest first. */
    async listOutbox(tx: Tx, { limit }: { readonly limit: number }): Promise<OutboxItem[]> {
      const rows = await tx
        .selectFrom('notifications')
        .innerJoin('incidents', 'incidents.id', 'notifications.incident_id')
        .selectAll('notifications')
        .select(['incidents.alert_name', 'incidents.severity'])
        .orderBy('notifications.id', 'desc')
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        ...toNotification(row),
        alertName: row.alert_name,
        severity: row.severity,
        ref: row.ref,
      }));
    },

    /** Every notification of an incident, oldest first. */
    async notificationsOf(tx: Tx, incidentId: number): Promise<Notification[]> {
      const rows = await tx
        .selectFrom('notifications')
        .selectAll()
        .where('incident_id', '=', incidentId)
        .orderBy('id')
        .execute();
      return rows.map(toNotification);
    },

    /**
     * Who was, or is about to be, told of these incidents: pages only of the present episode and only where
     * they were not given up, or given up after a try whose answer may have been lost: that one may stand at the pager.
     * The other forms whenever they were. Those for whom an umbrella speaks hear of its end.
     */
    async toldReceivers(tx: Tx, incidentIds: readonly number[]): Promise<Told[]> {
      const told: Told[] = [];
      for (const slice of listSlices(incidentIds)) {
        const rows = await tx
          .selectFrom('notifications as n')
          .innerJoin('incidents as i', 'i.id', 'n.incident_id')
          .select(['n.incident_id', 'n.receiver', 'n.purpose'])
          .distinct()
          .where('n.incident_id', 'in', slice)
          .where(
            sql<boolean>`n.state <> 'withheld' and not (n.purpose = 'card' and n.state = 'dropped' and n.umbrella_id is not null) and (n.purpose in ('card', 'webhook', 'log') or (n.purpose = 'page'
              and (n.state in ('queued', 'sending', 'sent') or n.attempts >= 2) and n.episode_id = i.episode_id and n.umbrella_id is null))`,
          )
          .orderBy('n.incident_id')
          .orderBy('n.receiver')
          .orderBy('n.purpose')
          .execute();
        for (const row of rows) {
          told.push({ incidentId: row.incident_id, receiver: row.receiver, purpose: row.purpose });
        }
      }
      return told;
    },
  };
}
