/**
 * Takes due notifications out of the database and lets each receiver have a few at a time, so that one that
 * hangs delays nobody else. Due times live in the database and survive a restart; timers are monotonic.
 */

import { type Cancel, SECOND } from '../domain/clock.js';
import type { Notification } from '../domain/notification.js';
import { createDeliverOne } from './deliver-one.js';
import { makeDueAgain } from './due-again.js';
import type { OutboxDeps } from './outbox-deps.js';
import { createRecordResult } from './record-result.js';

const LEASE_MS = 30 * SECOND;
const CONCURRENCY = 4;
/** Rows claimed at once. */
const BATCH = 50;
/** How often the database is asked without being told; also how fast a stepped clock is noticed. */
const POLL_MS = SECOND;
/** Between two polls wall and monotonic time may differ by so much before the wall clock counts as stepped. */
const CLOCK_STEP_MS = 5 * SECOND;
/** At shutdown sends under way may finish for so long. */
const STOP_MS = 8 * SECOND;

export type Dispatcher = {
  /** Takes back what an earlier process left unfinished and begins. */
  readonly start: () => Promise<void>;
  /** Says that there may be something due. Cheap, never throws. */
  readonly wake: () => void;
  /** Stops claiming, lets what is under way finish within 8 s, and gives the rest back. */
  readonly stop: () => Promise<void>;
  /** For tests: resolves when nothing is due now and nothing is under way. */
  readonly drain: () => Promise<void>;
};

/** One row held by this process. A row whose lease ran out while held is claimed again: then only its fence moves. */
type Held = { notification: Notification; running: boolean };

export function createDispatcher(deps: OutboxDeps): Dispatcher {
  const leaseMs = deps.leaseMs ?? LEASE_MS;
  const concurrency = deps.concurrency ?? CONCURRENCY;
  const held = new Map<number, Held>();
  const lanes = new Map<string, number>();
  const underway = new Set<Promise<void>>();
  const abort = new AbortController();
  const record = createRecordResult(deps, wake);
  const deliverOne = createDeliverOne(deps, record);
  let stopped = true;
  let claiming: Promise<void> | null = null;
  let again = false;
  let cancelPoll: Cancel | null = null;
  let cancelDue: Cancel | null = null;
  let offset = deps.clock.now() - deps.clock.monotonic();

  function wake(): void {
    if (stopped) return;
    if (claiming !== null) {
      again = true;
      return;
    }
    claiming = claimAll()
      .catch((error: unknown) => deps.logger.error({ err: error }, 'notifications could not be claimed'))
      .finally(() => {
        claiming = null;
        if (again && !stopped) {
          again = false;
          wake();
        }
      });
  }

  async function claimAll(): Promise<void> {
    for (;;) {
      if (stopped) return;
      const claimed = await deps.db.transaction((tx) =>
        deps.stores.notifications.claimDue(tx, {
          nowMs: deps.clock.now(),
          leaseMs,
          limit: BATCH,
          exceptReceivers: busyReceivers(),
        }),
      );
      for (const notification of claimed) hold(notification);
      startHeld();
      if (claimed.length < BATCH) break;
    }
    await armDue();
  }

  function hold(notification: Notification): void {
    const mine = held.get(notification.id);
    if (mine === undefined) held.set(notification.id, { notification, running: false });
    // Still in our hands although the lease ran out (a stepped clock, a long queue): it must not be sent twice.
    else if (mine.running) Object.assign(mine.notification, { fence: notification.fence });
    else mine.notification = notification;
  }

  function busyReceivers(): string[] {
    return [...lanes].filter(([, running]) => running >= concurrency).map(([receiver]) => receiver);
  }

  function startHeld(): void {
    for (const one of held.values()) {
      if (stopped) return;
      const { receiver } = one.notification;
      const running = lanes.get(receiver) ?? 0;
      if (one.running || running >= concurrency) continue;
      lanes.set(receiver, running + 1);
      one.running = true;
      // A copy, so that a fence that moves while it is under way reaches whoever writes the result.
      one.notification = { ...one.notification };
      const turn = deliverOne(one.notification, abort.signal)
        .catch((error: unknown) =>
          deps.logger.error(
            { err: error, receiver, notificationId: one.notification.id },
            'delivery could not be recorded; its lease will run out',
          ),
        )
        .finally(() => {
          held.delete(one.notification.id);
          lanes.set(receiver, (lanes.get(receiver) ?? 1) - 1);
          underway.delete(turn);
          startHeld();
          wake();
        });
      underway.add(turn);
    }
  }

  /** Wakes exactly when the next row falls due, if that is before the next poll. */
  async function armDue(): Promise<void> {
    const next = await deps.stores.notifications.nextDueMs(deps.db.kysely);
    cancelDue?.();
    cancelDue = null;
    if (next === null || stopped) return;
    const waitMs = next - deps.clock.now();
    // What is past due and was not claimed waits for a busy receiver, whose end wakes us.
    if (waitMs > 0 && waitMs < POLL_MS) cancelDue = deps.clock.after(waitMs, wake);
  }

  function poll(): void {
    cancelPoll = deps.clock.after(POLL_MS, () => {
      const now = deps.clock.now() - deps.clock.monotonic();
      const stepped = now - offset;
      offset = now;
      if (stepped < -CLOCK_STEP_MS) {
        deps.logger.warn({ steppedMs: stepped }, 'the wall clock went back; what waits for a retry goes now');
        dueAgain().catch((error: unknown) =>
          deps.logger.error({ err: error }, 'due times could not be corrected'),
        );
      } else wake();
      if (!stopped) poll();
    });
  }

  async function dueAgain(): Promise<void> {
    await deps.db.transaction((tx) => makeDueAgain(tx, deps.clock.now()));
    wake();
  }

  return {
    async start() {
      const nowMs = deps.clock.now();
      await deps.db.transaction(async (tx) => {
        await deps.stores.notifications.releaseLeases(tx, { nowMs });
        await makeDueAgain(tx, nowMs);
      });
      stopped = false;
      offset = nowMs - deps.clock.monotonic();
      wake();
      poll();
    },
    wake,
    async stop() {
      if (stopped) return;
      stopped = true;
      cancelPoll?.();
      cancelDue?.();
      record.stop();
      const cancelAbort = deps.clock.after(STOP_MS, () => abort.abort());
      await claiming;
      while (underway.size > 0) await Promise.allSettled([...underway]);
      cancelAbort();
      await deps.db.transaction((tx) =>
        deps.stores.notifications.releaseLeases(tx, { nowMs: deps.clock.now() }),
      );
      held.clear();
    },
    async drain() {
      wake();
      while (claiming !== null || underway.size > 0) {
        await claiming;
        await Promise.allSettled([...underway]);
      }
    },
  };
}
