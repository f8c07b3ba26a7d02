/** Writes down what became of a turn: row, card, timeline, and for a page that is refused, the next rung of its ladder. */

import { DAY } from '../domain/clock.js';
import { publicId } from '../domain/incident.js';
import type { CardRef, DeliveryResult, Notification, Purpose } from '../domain/notification.js';
import type { NewTimelineEntry } from '../domain/timeline.js';
import type { Tx } from '../store/tables.js';
import { backoffMs } from './backoff.js';
import type { Climber } from './climb.js';
import type { DeliveryObservation, OutboxDeps } from './outbox-deps.js';
import { purposeInWords } from './purpose-in-words.js';

/**
 * A message that nobody took for so long is given up. A page never is, nor its resolve: an outage of the pager
 * may last longer, and a page that nobody closes there climbs on to the next person.
 */
export const GIVE_UP_AFTER_MS = DAY;
const NEVER_GIVEN_UP: ReadonlySet<Purpose> = new Set(['page', 'page_again', 'page_resolve']);

/** So many times a message may fail to be drawn, or take the process with it, before it is sent bare. */
export const MAX_FAULTS = 5;
/** The provider has no part in a fault, so nobody is spared by waiting, and a page is still wanted within seconds. */
const FAULT_RETRY_MS = 200;

export type RecordResult = {
  readonly result: (
    notification: Notification,
    card: CardRef | null,
    result: DeliveryResult,
  ) => Promise<void>;
  readonly dropped: (notification: Notification, reason: string) => Promise<void>;
  /** It could not be read or drawn: a bug of ours. */
  readonly fault: (notification: Notification) => Promise<void>;
  /** From now on it is sent from bare facts. `because` is the end of a sentence for the timeline. */
  readonly setAside: (notification: Notification, because: string) => Promise<void>;
  /** Held back on purpose, as a card that must wait its three seconds: no failure, and nothing for the timeline. */
  readonly postponed: (notification: Notification, waitMs: number, reason: string) => Promise<void>;
  /** Its lease may have run out before anything was sent: whoever claims it next sends it. */
  readonly givenBack: (notification: Notification) => Promise<void>;
  /** A maintenance window keeps it: told once an incident and window. */
  readonly keptBack: (notification: Notification, reason: string) => Promise<void>;
  /** An umbrella speaks for it, which is written down already. */
  readonly withheld: (notification: Notification) => void;
  /** The incident is gone. */
  readonly gone: (notification: Notification) => Promise<void>;
};

/** `onDue` is called when rows were stored that are due now. */
export function createRecordResult(deps: OutboxDeps, climber: Climber, onDue: () => void): RecordResult {
  const { notifications, timeline } = deps.stores;

  async function finish(
    notification: Notification,
    state: 'sent' | 'dead' | 'dropped',
    reason: string | null,
    ref: string | null,
    also: (tx: Tx, nowMs: number) => Promise<void>,
    shadow = false,
  ): Promise<void> {
    const nowMs = deps.clock.now();
    const { id, fence } = notification;
    const mine = await deps.db.transaction(async (tx) => {
      const mine = await notifications.finish(tx, { id, fence, state, reason, ref, shadow, nowMs });
      if (mine) await also(tx, nowMs);
      return mine;
    });
    if (!mine) lost(notification);
  }

  function lost(notification: Notification): void {
    deps.logger.warn(
      { notificationId: notification.id, receiver: notification.receiver },
      'result came after the lease was lost',
    );
  }

  async function result(
    notification: Notification,
    card: CardRef | null,
    result: DeliveryResult,
  ): Promise<void> {
    const { receiver } = notification;
    const what = purposeInWords(notification.purpose);
    switch (result.kind) {
      case 'sent':
        return result.shadow === true ? shadowed(notification) : sent(notification, card, result);
      case 'unchanged':
        await finish(notification, 'dropped', `unchanged: ${result.reason}`, null, async () => {});
        observe(notification, 'unchanged', null);
        return;
      case 'rejected':
        if (notification.bare)
          return dead(notification, 'client_error', `${what} refused by ${receiver}: ${result.detail}`);
        return setAside(
          notification,
          `was refused by ${receiver} for its content (${result.detail})`,
          'rejected',
        );
      case 'dead':
        return dead(notification, result.reason, `${what} refused by ${receiver}: ${result.detail}`);
      case 'retry': {
        const tooOld = deps.clock.now() - notification.createdAtMs >= GIVE_UP_AFTER_MS;
        if (tooOld && !NEVER_GIVEN_UP.has(notification.purpose)) {
          return dead(
            notification,
            result.reason,
            `${what} given up after a day and ${notification.attempts} attempts at ${receiver}: ${result.detail}`,
          );
        }
        return retry(notification, result);
      }
    }
  }

  async function sent(
    notification: Notification,
    card: CardRef | null,
    result: Extract<DeliveryResult, { kind: 'sent' }>,
  ): Promise<void> {
    const { receiver, incidentId } = notification;
    await finish(notification, 'sent', result.note ?? null, result.ref, async (tx, nowMs) => {
      if (result.card !== undefined) {
        await notifications.saveCard(tx, { incidentId, receiver, card: result.card, nowMs });
      }
      await settleCarried(tx, notification, result.ref, nowMs);
      // Each update of a card would bury the story; its first post is part of it.
      const isUpdate = notification.purpose === 'card' && card !== null;
      if (isUpdate && result.card?.messageId === card.messageId) return;
      const what = purposeInWords(notification.purpose);
      const form = notification.bare ? ' in its bare form' : '';
      const tries = notification.attempts > 1 ? ` at attempt ${notification.attempts}` : '';
      const note = result.note === undefined ? '' : ` (${result.note})`;
      await timeline.append(tx, [
        entry(notification, nowMs, 'sent', `${what} accepted by ${receiver}${form}${tries}${note}`),
      ]);
    });
    observe(notification, 'sent', null);
  }

  /** Shadow mode: it counts as sent for whatever follows from that, and is shown as what it is. */
  async function shadowed(notification: Notification): Promise<void> {
    const reason = 'shadow mode: not sent';
    const also = async (tx: Tx, nowMs: number): Promise<void> => {
      await settleCarried(tx, notification, null, nowMs, true);
      const history = await notifications.notificationsOf(tx, notification.incidentId);
      const { id, purpose, receiver } = notification;
      const drawnBefore = history.some(
        (one) => one.shadow && one.id !== id && one.purpose === 'card' && one.receiver === receiver,
      );
      if (purpose === 'card' && drawnBefore) return;
      const text = `${purposeInWords(purpose)} to ${receiver} would have been sent now: shadow mode`;
      await timeline.append(tx, [entry(notification, nowMs, 'shadowed', text)]);
    };
    await finish(notification, 'sent', reason, null, also, true);
    observe(notification, 'shadowed', null);
  }

  /** Those whom it named are told so. Its bare form names nobody. */
  async function settleCarried(
    tx: Tx,
    { id: carrierId, incidentId, purpose, bare }: Notification,
    ref: string | null,
    nowMs: number,
    shadow = false,
  ): Promise<void> {
    if (bare || (purpose !== 'page' && purpose !== 'page_update')) return;
    const wakes = purpose === 'page';
    await notifications.settleCarried(tx, {
      ...{ carrierId, named: publicId(incidentId), wakes, ref, shadow, nowMs },
    });
  }

  async function retry(
    notification: Notification,
    failed: Extract<DeliveryResult, { kind: 'retry' }>,
  ): Promise<void> {
    const nowMs = deps.clock.now();
    const { id, fence, attempts, receiver } = notification;
    const delayMs = backoffMs(attempts, deps.random, failed.afterMs);
    const reason = `${failed.reason}: ${failed.detail}`;
    await deps.db.transaction(async (tx) => {
      const mine = await notifications.retry(tx, { id, fence, dueAtMs: nowMs + delayMs, reason });
      if (mine && isNews(attempts)) {
        const what = purposeInWords(notification.purpose);
        const text = `${what} not accepted by ${receiver}: ${failed.detail} (attempt ${attempts}, trying again)`;
        await timeline.append(tx, [entry(notification, nowMs, 'send_failed', text)]);
      }
    });
    const fields = { ...fieldsOf(notification), reason: failed.reason, detail: failed.detail, delayMs };
    if (isNews(attempts)) deps.logger.warn(fields, 'delivery failed, will retry');
    else deps.logger.debug(fields, 'delivery failed, will retry');
    observe(notification, 'retry', failed.reason);
  }

  async function dead(notification: Notification, reason: string, says: string): Promise<void> {
    await finish(notification, 'dead', says, null, async (tx, nowMs) => {
      await timeline.append(tx, [entry(notification, nowMs, 'send_failed', says)]);
      if (notification.purpose === 'page') await climber.climb(tx, notification, 'refused');
    });
    deps.logger.error({ ...fieldsOf(notification), reason, detail: says }, 'delivery given up');
    observe(notification, 'dead', reason);
    if (notification.purpose === 'page') onDue();
  }

  async function fault(notification: Notification): Promise<void> {
    const faults = notification.faults + 1;
    const what = purposeInWords(notification.purpose);
    if (notification.bare) {
      return dead(notification, 'fault', `${what} to ${notification.receiver} failed even in its bare form`);
    }
    if (faults >= MAX_FAULTS) {
      return setAside(notification, `could not be drawn ${faults} times (the log says why)`, 'fault');
    }
    const { id, fence } = notification;
    const dueAtMs = deps.clock.now() + FAULT_RETRY_MS;
    const mine = await deps.db.transaction((tx) =>
      notifications.retry(tx, { id, fence, dueAtMs, reason: 'internal error, see the log', isFault: true }),
    );
    if (!mine) lost(notification);
    observe(notification, 'fault', null);
  }

  async function setAside(
    notification: Notification,
    because: string,
    outcome: 'rejected' | 'fault' = 'fault',
  ): Promise<void> {
    const { id, fence } = notification;
    const nowMs = deps.clock.now();
    const text = `${purposeInWords(notification.purpose)} ${because}: it is sent from bare facts`;
    const mine = await deps.db.transaction(async (tx) => {
      const mine = await notifications.makeBare(tx, { id, fence, dueAtMs: nowMs, reason: text });
      if (mine) await timeline.append(tx, [entry(notification, nowMs, 'send_failed', text)]);
      return mine;
    });
    if (!mine) return lost(notification);
    deps.logger.error(
      { ...fieldsOf(notification), detail: text },
      'message set aside, sent in its bare form',
    );
    observe(notification, outcome, null);
    onDue();
  }

  return {
    result,
    fault,
    setAside: (notification, because) => setAside(notification, because),
    async dropped(notification, reason) {
      await finish(notification, 'dropped', reason, null, async (tx, nowMs) => {
        const text = `${purposeInWords(notification.purpose)} to ${notification.receiver} not sent: ${reason}`;
        await timeline.append(tx, [entry(notification, nowMs, 'send_dropped', text)]);
      });
      observe(notification, 'dropped', null);
    },
    async postponed({ id, fence }, waitMs, reason) {
      const dueAtMs = deps.clock.now() + waitMs;
      await deps.db.transaction((tx) => notifications.postpone(tx, { id, fence, dueAtMs, reason }));
    },
    async givenBack(notification) {
      const { id, fence } = notification;
      const given = { id, fence, dueAtMs: deps.clock.now(), reason: 'its lease ran out' };
      const mine = await deps.db.transaction((tx) => notifications.postpone(tx, given));
      if (!mine) lost(notification);
    },
    async keptBack(notification, reason) {
      await deps.db.transaction(async (tx) => {
        const text = `Recorded only: ${reason}`;
        const story = await timeline.read(tx, notification.incidentId);
        if (story.some((one) => one.kind === 'maintenance' && one.text === text)) return;
        await timeline.append(tx, [entry(notification, deps.clock.now(), 'maintenance', text)]);
      });
    },
    withheld(notification) {
      observe(notification, 'withheld', null);
      onDue();
    },
    gone: (notification) => finish(notification, 'dropped', 'the incident is gone', null, async () => {}),
  };

  function observe(
    notification: Notification,
    outcome: DeliveryObservation['outcome'],
    reason: string | null,
  ): void {
    deps.metrics?.observe({
      receiver: notification.receiver,
      purpose: notification.purpose,
      outcome,
      reason,
      ageMs: Math.max(0, deps.clock.now() - notification.createdAtMs),
    });
  }
}

/** The first failure is news, the ninth is not: 1, 10, 100, 1000. */
function isNews(attempts: number): boolean {
  return /^10*$/.test(String(attempts));
}

function entry(
  notification: Notification,
  atMs: number,
  kind: 'sent' | 'send_failed' | 'send_dropped' | 'shadowed' | 'maintenance',
  text: string,
): NewTimelineEntry {
  return { incidentId: notification.incidentId, atMs, kind, text, actor: 'wakewell' };
}

function fieldsOf(notification: Notification): Record<string, unknown> {
  return {
    notificationId: notification.id,
    incidentId: notification.incidentId,
    receiver: notification.receiver,
    purpose: notification.purpose,
    attempts: notification.attempts,
  };
}
