/** Writes down what became of a turn: row, card, timeline, and for a page that fails, the next rung of the ladder. */

import { type Cancel, SECOND } from '../domain/clock.js';
import type { CardRef, DeliveryResult, Notification, Purpose } from '../domain/notification.js';
import type { NewTimelineEntry } from '../domain/timeline.js';
import type { Tx } from '../store/tables.js';
import { backoffMs } from './backoff.js';
import { nextOfLadder } from './ladder.js';
import type { DeliveryObservation, OutboxDeps } from './outbox-deps.js';
import { purposeInWords } from './purpose-in-words.js';

/**
 * After this many attempts a message is given up. A page never is, nor its resolve: an outage of the pager
 * lasts longer than twenty tries, and a page that nobody closes there climbs on to the next person.
 */
export const MAX_ATTEMPTS = 20;
const NEVER_GIVEN_UP: ReadonlySet<Purpose> = new Set(['page', 'page_resolve']);

/** A page that no receiver took for so long goes to the next of its ladder as well. */
const ESCALATE_AFTER_MS = 30 * SECOND;

export type RecordResult = {
  readonly result: (
    notification: Notification,
    card: CardRef | null,
    result: DeliveryResult,
  ) => Promise<void>;
  readonly dropped: (notification: Notification, reason: string) => Promise<void>;
  /** A card that must wait its three seconds: no failure, and nothing for the timeline. */
  readonly postponed: (notification: Notification, waitMs: number) => Promise<void>;
  /** The incident is gone. */
  readonly gone: (notification: Notification) => Promise<void>;
  /** Cancels what waits in memory. */
  readonly stop: () => void;
};

/** `onDue` is called when rows were stored that are due now. */
export function createRecordResult(deps: OutboxDeps, onDue: () => void): RecordResult {
  const { notifications, timeline } = deps.stores;
  const escalations = new Map<number, Cancel | null>();

  async function finish(
    notification: Notification,
    state: 'sent' | 'dead' | 'dropped',
    reason: string | null,
    ref: string | null,
    also: (tx: Tx, nowMs: number) => Promise<void>,
  ): Promise<void> {
    const nowMs = deps.clock.now();
    const { id, fence } = notification;
    const done = await deps.db.transaction(async (tx) => {
      const mine = await notifications.finish(tx, { id, fence, state, reason, ref, nowMs });
      if (mine) await also(tx, nowMs);
      return mine;
    });
    if (!done)
      deps.logger.warn(
        { notificationId: id, receiver: notification.receiver },
        'result came after the lease was lost',
      );
    forget(id);
  }

  function forget(id: number): void {
    escalations.get(id)?.();
    escalations.delete(id);
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
        await finish(notification, 'sent', result.note ?? null, result.ref, async (tx, nowMs) => {
          if (result.card !== undefined) {
            await notifications.saveCard(tx, {
              incidentId: notification.incidentId,
              receiver,
              card: result.card,
              nowMs,
            });
          }
          // Each update of a card would bury the story; its first post is part of it.
          if (notification.purpose === 'card' && card !== null && result.card?.messageId === card.messageId)
            return;
          const tries = notification.attempts > 1 ? ` at attempt ${notification.attempts}` : '';
          const note = result.note === undefined ? '' : ` (${result.note})`;
          await timeline.append(tx, [
            entry(notification, nowMs, 'sent', `${what} accepted by ${receiver}${tries}${note}`),
          ]);
        });
        observe(notification, 'sent', null);
        return;
      case 'unchanged':
        await finish(notification, 'dropped', `unchanged: ${result.reason}`, null, async () => {});
        observe(notification, 'unchanged', null);
        return;
      case 'dead':
        await dead(notification, result.reason, `${what} refused by ${receiver}: ${result.detail}`);
        return;
      case 'retry':
        if (!NEVER_GIVEN_UP.has(notification.purpose) && notification.attempts >= MAX_ATTEMPTS) {
          await dead(
            notification,
            result.reason,
            `${what} given up after ${notification.attempts} attempts at ${receiver}: ${result.detail}`,
          );
          return;
        }
        await retry(notification, result, `${what} not accepted by ${receiver}: ${result.detail}`);
    }
  }

  async function retry(
    notification: Notification,
    failed: Extract<DeliveryResult, { kind: 'retry' }>,
    says: string,
  ): Promise<void> {
    const nowMs = deps.clock.now();
    const { id, fence, attempts } = notification;
    const delayMs = backoffMs(attempts, deps.random, failed.afterMs);
    const reason = `${failed.reason}: ${failed.detail}`;
    await deps.db.transaction(async (tx) => {
      const mine = await notifications.retry(tx, { id, fence, dueAtMs: nowMs + delayMs, reason });
      // The first failure is news, the ninth is not.
      if (mine && (attempts === 1 || attempts % 10 === 0)) {
        const text = `${says} (attempt ${attempts}, trying again)`;
        await timeline.append(tx, [entry(notification, nowMs, 'send_failed', text)]);
      }
    });
    deps.logger.warn(
      { ...fieldsOf(notification), reason: failed.reason, detail: failed.detail, delayMs },
      'delivery failed, will retry',
    );
    observe(notification, 'retry', failed.reason);
    if (notification.purpose === 'page') armEscalation(notification, nowMs);
  }

  async function dead(notification: Notification, reason: string, says: string): Promise<void> {
    await finish(notification, 'dead', says, null, async (tx, nowMs) => {
      await timeline.append(tx, [entry(notification, nowMs, 'send_failed', says)]);
      if (notification.purpose === 'page') await climb(tx, notification, nowMs, 'refused');
    });
    deps.logger.error({ ...fieldsOf(notification), reason, detail: says }, 'delivery given up');
    observe(notification, 'dead', reason);
    if (notification.purpose === 'page') onDue();
  }

  /** Timers are monotonic and die with the process: after a restart the first failure arms it anew, past due by then. */
  function armEscalation(notification: Notification, nowMs: number): void {
    if (escalations.has(notification.id)) return;
    const waitMs = Math.min(
      ESCALATE_AFTER_MS,
      Math.max(0, notification.createdAtMs + ESCALATE_AFTER_MS - nowMs),
    );
    escalations.set(
      notification.id,
      deps.clock.after(waitMs, () => {
        escalations.set(notification.id, null);
        escalate(notification).catch((error: unknown) =>
          deps.logger.error({ err: error, ...fieldsOf(notification) }, 'page could not be passed on'),
        );
      }),
    );
  }

  async function escalate(notification: Notification): Promise<void> {
    const nowMs = deps.clock.now();
    await deps.db.transaction((tx) => climb(tx, notification, nowMs, 'not accepted within 30 s'));
    onDue();
  }

  async function climb(tx: Tx, page: Notification, nowMs: number, why: string): Promise<void> {
    const history = await notifications.notificationsOf(tx, page.incidentId);
    const next = nextOfLadder(page, deps.receivers, history, nowMs);
    await notifications.enqueue(tx, next);
    const to = next.map((one) => one.receiver).join(', ');
    const text =
      to === ''
        ? `Page to ${page.receiver} ${why}; there is nobody else to tell`
        : `Page to ${page.receiver} ${why}: passed on to ${to}`;
    await timeline.append(tx, [entry(page, nowMs, 'send_failed', text)]);
    deps.logger.error({ ...fieldsOf(page), to }, 'critical page not accepted');
  }

  return {
    result,
    async dropped(notification, reason) {
      await finish(notification, 'dropped', reason, null, async (tx, nowMs) => {
        const text = `${purposeInWords(notification.purpose)} to ${notification.receiver} not sent: ${reason}`;
        await timeline.append(tx, [entry(notification, nowMs, 'send_dropped', text)]);
      });
      observe(notification, 'dropped', null);
    },
    async postponed(notification, waitMs) {
      const { id, fence } = notification;
      const dueAtMs = deps.clock.now() + waitMs;
      await deps.db.transaction((tx) =>
        notifications.retry(tx, { id, fence, dueAtMs, reason: 'waits: cards are updated every 3 s at most' }),
      );
    },
    gone: (notification) => finish(notification, 'dropped', 'the incident is gone', null, async () => {}),
    stop() {
      for (const cancel of escalations.values()) cancel?.();
      escalations.clear();
    },
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

function entry(
  notification: Notification,
  atMs: number,
  kind: 'sent' | 'send_failed' | 'send_dropped',
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
