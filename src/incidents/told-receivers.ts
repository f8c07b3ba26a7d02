/** Who is told of what happens to an incident after it fired: those who were told of the firing. */

import type { NewNotification, Purpose } from '../domain/notification.js';
import type { Told } from '../store/outbox-view.js';

/** What a receiver that has the first is sent when something changes. */
const FOLLOW_UP: Readonly<
  Record<
    'reminded' | 'acknowledged' | 'resolved' | 'reopened' | 'silenced' | 'changed',
    Partial<Record<Purpose, Purpose>>
  >
> = {
  reminded: { page: 'page_again', card: 'reminder_reply', log: 'log' },
  acknowledged: { page: 'page_acknowledge', card: 'card', webhook: 'webhook', log: 'log' },
  resolved: { page: 'page_resolve', card: 'card', webhook: 'webhook', log: 'log' },
  // Pages of a new firing period are its own matter.
  reopened: { card: 'card', webhook: 'webhook', log: 'log' },
  // A pager keeps what it was sent: whoever silences may still want it there.
  silenced: { card: 'card', webhook: 'webhook', log: 'log' },
  changed: { card: 'card' },
};

export type FollowUpEvent = keyof typeof FOLLOW_UP;

/** Notifications to the told receivers of one incident. `resolveDueAtMs` holds the resolve of a page back. */
export function followUps(
  told: readonly Told[],
  event: FollowUpEvent,
  at: {
    readonly incidentId: number;
    readonly episodeId: number;
    readonly nowMs: number;
    readonly resolveDueAtMs?: number;
  },
): NewNotification[] {
  const notifications: NewNotification[] = [];
  for (const one of told) {
    const purpose = FOLLOW_UP[event][one.purpose];
    if (one.incidentId !== at.incidentId || purpose === undefined) continue;
    notifications.push({
      incidentId: at.incidentId,
      episodeId: at.episodeId,
      receiver: one.receiver,
      purpose,
      dueAtMs: purpose === 'page_resolve' ? (at.resolveDueAtMs ?? at.nowMs) : at.nowMs,
      createdAtMs: at.nowMs,
    });
  }
  return notifications;
}
