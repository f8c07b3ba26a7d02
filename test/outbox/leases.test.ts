/**
 * A process that is stopped as by SIGSTOP at any point of a turn: its code does not run and its timers do not
 * fire, while time goes on and another one claims what its leases no longer hold. It may send nothing under a
 * lease that is no more, and write nothing either.
 */

import { expect, onTestFinished, test } from 'vitest';
import { createRandom } from '../../bench/torture/random.js';
import { type Cancel, type Clock, SECOND } from '../../src/domain/clock.js';
import type { DeliveryResult } from '../../src/domain/notification.js';
import { createDispatcher } from '../../src/outbox/dispatcher.js';
import type { Delivery, Receiver } from '../../src/receivers/receiver.js';
import { createAccountStore } from '../../src/store/account-store.js';
import { readIncidentView } from '../../src/store/incident-view.js';
import { createNotificationStore } from '../../src/store/notification-store.js';
import { createTimelineStore } from '../../src/store/timeline-store.js';
import { keptLog } from '../receivers/receiver-setup.js';
import type { ManualClock } from '../support/manual-clock.js';
import { outboxHarness } from './outbox-harness.js';

const LEASE_MS = 30 * SECOND;
const TRIALS = Number(process.env.LEASE_TRIALS ?? 150);

const POINTS = ['after the claim', 'after reading', 'before the call', 'after the call'] as const;
type Point = (typeof POINTS)[number];

/** The clock of a process that can be stopped. */
function stoppable(clock: ManualClock) {
  let stopped: Promise<void> | null = null;
  let goOn = () => {};
  const wait = async () => {
    while (stopped !== null) await stopped;
  };
  const own: Clock = {
    now: clock.now,
    monotonic: clock.monotonic,
    after(delayMs, fn): Cancel {
      let cancelled = false;
      const cancel = clock.after(delayMs, () => {
        if (stopped === null) fn();
        else void wait().then(() => (cancelled ? undefined : fn()));
      });
      return () => {
        cancelled = true;
        cancel();
      };
    },
  };
  return {
    clock: own,
    wait,
    stop() {
      stopped = new Promise<void>((resolve) => {
        goOn = () => {
          stopped = null;
          resolve();
        };
      });
    },
    goOn: () => goOn(),
  };
}

async function setup() {
  const h = await outboxHarness({ receivers: [] });
  const holder = stoppable(h.clock);
  const sends: { readonly by: 'holder' | 'other'; readonly incidentId: number; readonly isStale: boolean }[] =
    [];
  let stopAt: Point | null = null;

  async function reach(point: Point): Promise<void> {
    if (stopAt === point) {
      stopAt = null;
      holder.stop();
    }
    await holder.wait();
  }

  const receiver: Receiver = {
    name: 'pager',
    kind: 'pagerduty',
    async deliver({ notification }: Delivery): Promise<DeliveryResult> {
      const row = await h.db.kysely
        .selectFrom('notifications')
        .select('fence')
        .where('id', '=', notification.id)
        .executeTakeFirstOrThrow();
      const isStale = row.fence !== notification.fence;
      sends.push({ by: 'holder', incidentId: notification.incidentId, isStale });
      await reach('after the call');
      return { kind: 'sent', ref: 'holder' };
    },
    deliverBare: () => Promise.reject(new Error('unexpected')),
  };
  const notifications = createNotificationStore();
  const { notificationsOf } = notifications;
  const dispatcher = createDispatcher({
    db: {
      ...h.db,
      async transaction(fn, options) {
        const result = await h.db.transaction(fn, options);
        await reach('after the claim');
        return result;
      },
    },
    stores: {
      notifications: {
        ...notifications,
        async notificationsOf(tx, id) {
          const history = await notificationsOf(tx, id);
          await reach('before the call');
          return history;
        },
      },
      accounts: createAccountStore(),
      timeline: createTimelineStore(),
    },
    receivers: new Map([['pager', receiver]]),
    async readView(id) {
      const view = await readIncidentView(h.db.kysely, id);
      await reach('after reading');
      return view;
    },
    clock: holder.clock,
    random: () => 0.5,
    logger: keptLog(),
    leaseMs: LEASE_MS,
  });
  onTestFinished(async () => {
    holder.goOn();
    await dispatcher.stop();
  });

  /** Somebody else, who takes what is due or whose lease ran out, and sends it. */
  async function otherTakes(): Promise<void> {
    const nowMs = h.clock.now();
    const taken = await h.db.transaction((tx) =>
      h.notifications.claimDue(tx, { nowMs, leaseMs: LEASE_MS, limit: 10 }),
    );
    for (const { id, fence, incidentId } of taken) {
      sends.push({ by: 'other', incidentId, isStale: false });
      await h.db.transaction((tx) =>
        h.notifications.finish(tx, { id, fence, state: 'sent', reason: null, ref: 'other', nowMs }),
      );
    }
  }

  return {
    h,
    dispatcher,
    holder,
    sends,
    otherTakes,
    stopAt(point: Point) {
      stopAt = point;
    },
  };
}

test(
  `in ${TRIALS} stops of 0.05 to 3 leases, at every point of a turn, nothing is sent or written under a stale fence`,
  async () => {
    const s = await setup();
    const random = createRandom(12);
    await s.dispatcher.start();
    let taken = 0;
    for (let trial = 0; trial < TRIALS; trial++) {
      const point = POINTS[trial % POINTS.length] ?? POINTS[0];
      const pauseMs = (0.05 + 2.95 * random()) * LEASE_MS;
      const id = await s.h.incident();
      s.stopAt(point);
      await s.h.enqueue(id, 'pager', 'page');
      s.dispatcher.wake();
      await s.h.clock.advance(1);
      // The other looks twice, so that it comes just before and well after the end of a lease.
      await s.h.clock.advance(pauseMs / 2);
      await s.otherTakes();
      await s.h.clock.advance(pauseMs / 2);
      await s.otherTakes();
      s.holder.goOn();
      await s.h.clock.advance(5 * SECOND);

      const mine = s.sends.filter((one) => one.incidentId === id);
      const what = `trial ${trial}: stopped ${point} for ${Math.round(pauseMs)} ms`;
      expect(
        mine.filter((one) => one.isStale),
        what,
      ).toEqual([]);
      const row = (await s.h.rows()).at(-1);
      expect(row?.state, what).toBe('sent');
      const other = mine.some((one) => one.by === 'other');
      if (other) taken += 1;
      expect(row?.ref, what).toBe(other ? 'other' : 'holder');
      // Sent by both only where the call was made before the stop: the pager collapses that.
      if (point !== 'after the call') expect(mine, what).toHaveLength(1);
    }
    // The trials prove something only if the other often came between.
    expect(taken).toBeGreaterThan(TRIALS / 4);
  },
  60_000 + TRIALS * 100,
);
