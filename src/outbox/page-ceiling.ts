/**
 * Asked right before a page is sent: may it go now, by itself? A page beyond the ceiling of its receiver is put under
 * an umbrella instead. What was let go stays so: it is sent until somebody takes it.
 */

import { type Incident, OWN_SOURCE, publicId } from '../domain/incident.js';
import type { Notification } from '../domain/notification.js';
import { longestWindowMs, type PageCeiling, type Room, roomUnder } from '../domain/page-ceiling.js';
import { readIncident } from '../store/incident-history.js';
import type { NotificationStore } from '../store/notification-store.js';
import type { Tx } from '../store/tables.js';
import type { TimelineStore } from '../store/timeline-store.js';

export type Admission =
  | { readonly kind: 'go' }
  /** Another message says it; nothing is left to do for this one. */
  | { readonly kind: 'withheld' }
  | { readonly kind: 'drop'; readonly reason: string }
  | { readonly kind: 'wait'; readonly forMs: number; readonly reason: string };

export type PageGate = (tx: Tx, notification: Notification, nowMs: number) => Promise<Admission>;

export type PageGateDeps = {
  readonly ceilings: readonly PageCeiling[];
  /** Pagers; what else a ladder reaches wakes nobody and is not counted. */
  readonly isPager: (receiver: string) => boolean;
  readonly stores: {
    readonly notifications: Pick<
      NotificationStore,
      'pagedAt' | 'admit' | 'standingBundle' | 'unofferedPages' | 'withhold' | 'carry' | 'bundlePages'
    >;
    readonly timeline: Pick<TimelineStore, 'append'>;
  };
};

/** A reminder is no new problem: it waits for room of its own. */
const REMINDER_WAITS_MS = 60_000;

const GO: Admission = { kind: 'go' };

export function createPageGate(deps: PageGateDeps): PageGate {
  const { notifications, timeline } = deps.stores;

  return async function admit(tx, notification, nowMs) {
    const { purpose, incidentId } = notification;
    if (purpose !== 'page' && purpose !== 'page_again' && purpose !== 'page_update') return GO;
    const incident = await readIncident(tx, incidentId);
    if (incident === null) return GO;
    if (purpose === 'page_update') {
      const unnamed = await carry(tx, notification);
      return unnamed > 0 ? GO : { kind: 'drop', reason: 'there is nobody new to name' };
    }
    const verdict = await underCeiling(tx, notification, incident, nowMs);
    if (verdict.kind === 'go' && incident.kind !== 'problem') await carry(tx, notification);
    return verdict;
  };

  async function underCeiling(
    tx: Tx,
    notification: Notification,
    incident: Incident,
    nowMs: number,
  ): Promise<Admission> {
    const { id, receiver, purpose } = notification;
    if (notification.admittedAtMs !== null || !deps.isPager(receiver)) return GO;
    const room = await roomAt(tx, receiver, nowMs);
    // That nothing arrives any more, or that we fail, must not wait behind the very storm that did it.
    const isOurs = incident.source === OWN_SOURCE && incident.kind === 'problem';
    if (room === 'alone' || isOurs) {
      await notifications.admit(tx, id, nowMs);
      return GO;
    }
    if (purpose === 'page_again') {
      return { kind: 'wait', forMs: REMINDER_WAITS_MS, reason: 'waits: the page ceiling is reached' };
    }
    await bundle(tx, notification, room, nowMs);
    return { kind: 'withheld' };
  }

  async function roomAt(tx: Tx, receiver: string, nowMs: number): Promise<Room> {
    const sinceMs = nowMs - longestWindowMs(deps.ceilings);
    return roomUnder(deps.ceilings, await notifications.pagedAt(tx, { receiver, sinceMs, nowMs }), nowMs);
  }

  async function bundle(tx: Tx, page: Notification, room: Room, nowMs: number): Promise<void> {
    // Without one that stands, because a person closed it, a page too many is better than one that nobody sees.
    const standing = room === 'none' ? await notifications.standingBundle(tx, page.receiver) : null;
    let umbrellaId: number;
    if (standing === null) {
      const { receiver } = page;
      const due = await notifications.unofferedPages(tx, receiver, nowMs);
      ({ incidentId: umbrellaId } = await notifications.bundlePages(tx, {
        receiver,
        ids: [page.id, ...due],
        nowMs,
      }));
    } else {
      umbrellaId = standing.incidentId;
      await notifications.withhold(tx, { ids: [page.id], umbrellaId });
    }
    await timeline.append(tx, [
      {
        incidentId: page.incidentId,
        atMs: nowMs,
        kind: 'listed',
        text: `Page to ${page.receiver}: its page ceiling is reached, ${publicId(umbrellaId)} speaks for it`,
        actor: 'wakewell',
      },
    ]);
  }

  function carry(tx: Tx, { id, incidentId, receiver, onBehalfOf }: Notification): Promise<number> {
    const receivers = onBehalfOf === null ? [receiver] : [receiver, onBehalfOf];
    return notifications.carry(tx, { notificationId: id, umbrellaId: incidentId, receivers });
  }
}
