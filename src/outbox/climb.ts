/** Passes a page that is refused or not accepted in time on to the next rung of its ladder, once a rung. */

import type { Notification } from '../domain/notification.js';
import { readBareFacts } from '../store/bare-facts.js';
import type { Tx } from '../store/tables.js';
import { nextOfLadder } from './ladder.js';
import type { OutboxDeps } from './outbox-deps.js';
import { stillTrue } from './still-true.js';

/** Pages passed on in one go; more wait for the next tick. */
const BATCH = 50;

export type Climber = {
  /** Passes on every page whose time has come. Its times live in the database. True when any was. */
  readonly climbDue: () => Promise<boolean>;
  /** Passes a page on now, as part of a transaction; the caller wakes the dispatcher. */
  readonly climb: (tx: Tx, page: Notification, why: string) => Promise<void>;
};

export function createClimber(deps: OutboxDeps): Climber {
  const { notifications, timeline } = deps.stores;

  async function climb(tx: Tx, page: Notification, why: string): Promise<void> {
    const nowMs = deps.clock.now();
    if (!(await notifications.markClimbed(tx, page.id, nowMs))) return;
    const history = await notifications.notificationsOf(tx, page.incidentId);
    const next = nextOfLadder(page, deps.receivers, history, nowMs);
    await notifications.enqueue(tx, next);
    const to = next.map((one) => one.receiver).join(', ');
    const text =
      to === ''
        ? `Page to ${page.receiver} ${why}; there is nobody else to tell`
        : `Page to ${page.receiver} ${why}: passed on to ${to}`;
    await timeline.append(tx, [
      { incidentId: page.incidentId, atMs: nowMs, kind: 'send_failed', text, actor: 'wakewell' },
    ]);
    deps.metrics?.climbed?.(page.receiver);
    deps.logger.error(
      { notificationId: page.id, incidentId: page.incidentId, receiver: page.receiver, to, why },
      'critical page not accepted',
    );
  }

  /** A page that is no longer true wakes nobody else either; its own turn will drop it. */
  async function isStillTrue(tx: Tx, page: Notification): Promise<boolean> {
    const read = await readBareFacts(tx, page);
    if (read === null) return false;
    const history = await notifications.notificationsOf(tx, page.incidentId);
    return stillTrue({ notification: page, ...read, hasVerdict: false, history }).kind === 'send';
  }

  return {
    climb,
    async climbDue() {
      const due = await notifications.dueClimbs(deps.db.kysely, deps.clock.now(), BATCH);
      for (const page of due) {
        try {
          await deps.db.transaction(async (tx) => {
            if (await isStillTrue(tx, page)) await climb(tx, page, 'not accepted within 30 s');
            else await notifications.markClimbed(tx, page.id, deps.clock.now());
          });
        } catch (error) {
          deps.logger.error(
            { err: error, notificationId: page.id, incidentId: page.incidentId },
            'page could not be passed on',
          );
        }
      }
      return due.length > 0;
    },
  };
}
