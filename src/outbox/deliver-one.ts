/**
 * One turn of one notification: re-read the incident, ask whether it is still true, send, and write down what
 * became of it. The network is never waited for inside a transaction.
 */

import { SECOND } from '../domain/clock.js';
import { MAINTENANCE_WORDS } from '../domain/drop-reasons.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { CardRef, DeliveryResult, Notification, Purpose } from '../domain/notification.js';
import type { Receiver } from '../receivers/receiver.js';
import { momentTime } from '../render/duration.js';
import { readBareFacts, type StoredBareFacts } from '../store/bare-facts.js';
import { readEpisode } from '../store/episode-store.js';
import { createCardPace } from './card-pace.js';
import type { OutboxDeps } from './outbox-deps.js';
import { MAX_FAULTS, type RecordResult } from './record-result.js';
import { stillTrue } from './still-true.js';

/** Longest one turn may take, whatever the receiver does: two calls and their fallback, well below the lease. */
const TURN_MS = 20 * SECOND;

/** A lease is trusted for less than it lasts, because it began before its claim was known to have succeeded. */
const LEASE_MARGIN_MS = SECOND;

const BARE_BECAUSE = 'the full message failed, the incident says why';

/** What tells somebody something new. */
const IS_NEW: ReadonlySet<Purpose> = new Set([
  'page',
  'page_again',
  'reminder_reply',
  'verdict_reply',
  'card',
  'webhook',
  'log',
]);

/** One claim. */
export type Turn = {
  readonly notification: Notification;
  /** Monotonic time from before the claim. */
  readonly claimedAt: number;
};

/** What the receiver answered; null when it was not asked. */
export type DeliverOne = (turn: Turn, signal: AbortSignal) => Promise<DeliveryResult | null>;

/** Makes the function for one turn. It throws only when the database does; the lease then brings the row back. */
export function createDeliverOne(deps: OutboxDeps, leaseMs: number, record: RecordResult): DeliverOne {
  const pace = createCardPace(deps.clock, deps.slowCardMs);

  return async function deliverOne(turn, signal) {
    const { notification } = turn;
    const receiver = deps.receivers.get(notification.receiver);
    if (receiver === undefined) {
      const detail = `no receiver "${notification.receiver}" is configured`;
      await record.result(notification, null, { kind: 'dead', reason: 'client_error', detail });
      return null;
    }
    if (notification.bare) return deliverBare(receiver, turn, signal);
    if (notification.faults >= MAX_FAULTS) {
      await record.setAside(notification, 'was under way each time that the process died');
      return null;
    }
    return deliverFull(receiver, turn, signal);
  };

  async function deliverFull(
    receiver: Receiver,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<DeliveryResult | null> {
    const { notification } = turn;
    const read = await readAll(notification).catch((error: unknown) => {
      logFault(error, notification);
      return 'fault' as const;
    });
    if (read === 'fault') {
      await record.fault(notification);
      return null;
    }
    if (read === null) {
      await record.gone(notification);
      return null;
    }
    const { view, card, present } = read;
    const history = knownTo(receiver, read.history);
    const truth = stillTrue({
      notification,
      incident: present.incident,
      episode: view.episode,
      hasVerdict: present.diagnosis !== null,
      history,
    });
    if (truth.kind === 'drop') {
      await record.dropped(notification, truth.reason);
      return null;
    }
    if (await isKeptBack(notification, present, card)) return null;
    if (notification.purpose === 'card' && card !== null) {
      const waitMs = pace.waitMs(receiver.name, view);
      if (waitMs > 0) {
        await record.postponed(notification, waitMs, 'waits: cards are not updated all the time');
        return null;
      }
    }
    if (!(await isAdmitted(notification))) return null;
    if (view.episode.resolveAttemptedAtMs === null) await markResolve(notification);
    const shown = await whatIsSaid(notification, view);
    const result = await send(turn, card, signal, (inTime) =>
      receiver.deliver(
        { notification, view: shown, card, secondPage: hasSecondPage(notification, history) },
        inTime,
      ),
    );
    if (result?.kind === 'sent' && result.card !== undefined) pace.updated(receiver.name, view.incident.id);
    return result;
  }

  /**
   * In a maintenance window nothing new is said; what stands is kept true. What is over when the window ends was
   * recorded, and stands in its summary.
   */
  async function isKeptBack(
    notification: Notification,
    view: IncidentView,
    card: CardRef | null,
  ): Promise<boolean> {
    if (!IS_NEW.has(notification.purpose) || (notification.purpose === 'card' && card !== null)) return false;
    const nowMs = deps.clock.now();
    const window = deps.maintenanceOf?.(view, nowMs) ?? null;
    if (window !== null) {
      const until = momentTime(window.endMs, window.startMs);
      const reason = `${MAINTENANCE_WORDS} "${window.comment}" until ${until}`;
      if (notification.lastReason !== reason) await record.keptBack(notification, reason);
      await record.postponed(notification, window.endMs - nowMs, reason);
      return true;
    }
    const waited = notification.lastReason?.startsWith(MAINTENANCE_WORDS) === true;
    if (!waited || view.incident.state !== 'resolved') return false;
    await record.dropped(notification, `over within its ${notification.lastReason}`);
    return true;
  }

  /** Nothing is read but single columns, and nothing is drawn. */
  async function deliverBare(
    receiver: Receiver,
    turn: Turn,
    signal: AbortSignal,
  ): Promise<DeliveryResult | null> {
    const { notification } = turn;
    const { kysely } = deps.db;
    const { incidentId } = notification;
    const read: StoredBareFacts | null = await readBareFacts(kysely, notification);
    if (read === null) {
      await record.gone(notification);
      return null;
    }
    const all = await deps.stores.notifications.notificationsOf(kysely, incidentId);
    const history = knownTo(receiver, all);
    const truth = stillTrue({ notification, ...read, hasVerdict: false, history });
    if (truth.kind === 'drop') {
      await record.dropped(notification, truth.reason);
      return null;
    }
    const card = await deps.stores.notifications.readCard(kysely, { incidentId, receiver: receiver.name });
    if (!(await isAdmitted(notification))) return null;
    if (read.episode.resolveAttemptedAtMs === null) await markResolve(notification);
    const delivery = {
      purpose: notification.purpose,
      facts: { ...read.facts, why: BARE_BECAUSE },
      card,
      secondPage: hasSecondPage(notification, history),
      idempotencyKey: `${read.facts.dedupKey}.${notification.id}`,
    };
    return send(turn, card, signal, (inTime) => receiver.deliverBare(delivery, inTime));
  }

  /** False when its page ceiling holds it back, and that is written down. */
  async function isAdmitted(notification: Notification): Promise<boolean> {
    const { pageGate } = deps;
    if (pageGate === undefined) return true;
    const admission = await deps.db.transaction((tx) => pageGate(tx, notification, deps.clock.now()));
    if (admission.kind === 'drop') await record.dropped(notification, admission.reason);
    if (admission.kind === 'wait') await record.postponed(notification, admission.forMs, admission.reason);
    if (admission.kind === 'withheld') record.withheld(notification);
    return admission.kind === 'go';
  }

  /**
   * What a page shows. An umbrella names whom it speaks for as of now, after its gate counted them in; a bundle of one
   * reads as the page of that one, under the key of the bundle.
   */
  async function whatIsSaid(
    { incidentId, purpose }: Notification,
    view: IncidentView,
  ): Promise<IncidentView> {
    if (view.umbrella === null || (purpose !== 'page' && purpose !== 'page_update')) return view;
    const present = (await deps.readView(incidentId)) ?? view;
    const now = { ...present, episode: view.episode };
    const [only, ...others] = present.umbrella?.members ?? [];
    if (present.incident.kind !== 'bundle' || only === undefined || others.length > 0) return now;
    const member = await deps.readView(only.id);
    if (member === null) return now;
    return { ...member, episode: { ...member.episode, dedupKey: view.episode.dedupKey } };
  }

  /** Asks the receiver and writes down what it said. */
  async function send(
    turn: Turn,
    card: CardRef | null,
    signal: AbortSignal,
    deliver: (inTime: AbortSignal) => Promise<DeliveryResult>,
  ): Promise<DeliveryResult | null> {
    const { notification } = turn;
    if (!(await mayStillSend(turn))) return null;
    const result = await attempt(notification, signal, deliver);
    if (result.kind === 'fault') {
      await record.fault(notification);
      return null;
    }
    await record.result(notification, card, result);
    return result;
  }

  /** Committed before the call: once the pager may have seen a resolve, no trigger of this episode may follow. */
  async function markResolve({ purpose, episodeId }: Notification): Promise<void> {
    if (purpose !== 'page_resolve') return;
    await deps.db.transaction((tx) =>
      deps.stores.notifications.markResolveAttempted(tx, episodeId, deps.clock.now()),
    );
  }

  /** False when the process stood still for so long that its lease may run out before the turn ends. */
  async function mayStillSend({ notification, claimedAt }: Turn): Promise<boolean> {
    const heldMs = deps.clock.monotonic() - claimedAt;
    if (heldMs + TURN_MS + LEASE_MARGIN_MS <= leaseMs) return true;
    deps.logger.warn({ notificationId: notification.id, heldMs }, 'lease too old to send under, given back');
    await record.givenBack(notification);
    return false;
  }

  async function readAll(notification: Notification): Promise<{
    view: IncidentView;
    present: IncidentView;
    card: CardRef | null;
    history: Notification[];
  } | null> {
    const present = await deps.readView(notification.incidentId);
    if (present === null) return null;
    const { kysely } = deps.db;
    const episode =
      present.episode.id === notification.episodeId
        ? present.episode
        : await readEpisode(kysely, notification.episodeId);
    if (episode === null) return null;
    const { incidentId, receiver } = notification;
    return {
      present,
      // The dedup key must be that of the episode which was paged.
      view: { ...present, episode },
      card: await deps.stores.notifications.readCard(kysely, { incidentId, receiver }),
      history: await deps.stores.notifications.notificationsOf(kysely, incidentId),
    };
  }

  async function attempt(
    notification: Notification,
    signal: AbortSignal,
    deliver: (inTime: AbortSignal) => Promise<DeliveryResult>,
  ): Promise<DeliveryResult | { readonly kind: 'fault' }> {
    const controller = new AbortController();
    const abort = () => controller.abort();
    signal.addEventListener('abort', abort, { once: true });
    let cancel = () => {};
    const tooLong = new Promise<DeliveryResult>((resolve) => {
      cancel = deps.clock.after(TURN_MS, () => {
        abort();
        resolve({ kind: 'retry', reason: 'timeout', detail: `no result within ${TURN_MS / SECOND} s` });
      });
    });
    try {
      return await Promise.race([deliver(controller.signal), tooLong]);
    } catch (error) {
      logFault(error, notification);
      return { kind: 'fault' };
    } finally {
      cancel();
      signal.removeEventListener('abort', abort);
    }
  }

  /** A bug of ours. The message may be built from anything, so it goes to the log only. */
  function logFault(error: unknown, { receiver, incidentId, purpose }: Notification): void {
    deps.logger.error({ err: error, receiver, incidentId, purpose }, 'message failed unexpectedly');
  }
}

/** A trigger that was attempted may have been taken, whatever was heard of it. */
function hasSecondPage(of: Notification, history: readonly Notification[]): boolean {
  return history.some(
    (one) =>
      one.purpose === 'page_again' &&
      one.episodeId === of.episodeId &&
      one.receiver === of.receiver &&
      (one.state === 'sent' || one.attempts > 0),
  );
}

/** What was only shadowed never reached a real receiver, so nothing can follow it there. */
function knownTo(receiver: Receiver, history: readonly Notification[]): Notification[] {
  return history.filter((one) => !one.shadow || receiver.shadow === true);
}
