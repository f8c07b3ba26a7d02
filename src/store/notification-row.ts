/** One row of the outbox as a domain value. */

import type { Selectable } from 'kysely';
import type { Notification } from '../domain/notification.js';
import type { NotificationsTable } from './tables.js';

export function toNotification(row: Selectable<NotificationsTable>): Notification {
  return {
    id: row.id,
    incidentId: row.incident_id,
    episodeId: row.episode_id,
    receiver: row.receiver,
    purpose: row.purpose,
    state: row.state,
    dueAtMs: row.due_at,
    attempts: row.attempts,
    fence: row.fence,
    leaseUntilMs: row.lease_until,
    lastReason: row.last_reason,
    createdAtMs: row.created_at,
    finishedAtMs: row.finished_at,
    umbrellaId: row.umbrella_id,
    listedAtMs: row.listed_at,
    admittedAtMs: row.admitted_at,
    climbAtMs: row.climb_at,
    climbedAtMs: row.climbed_at,
    onBehalfOf: row.on_behalf_of,
    faults: row.faults,
    bare: row.bare === 1,
    shadow: row.shadow === 1,
  };
}
