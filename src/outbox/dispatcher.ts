/**
 * Takes due notifications out of the database, for each account as many as its gate, its budget and its lanes
 * allow, so that one that hangs or refuses delays nobody else. Due times live in the database and survive a
 * restart; timers are monotonic.
 */

import { type Cancel, SECOND } from '../domain/clock.js';
import type { Notification } from '../domain/notification.js';
import type { AccountState } from '../store/account-store.js';
import type { Tx } from '../store/database.js';
import { isDatabaseTrouble } from '../store/database-trouble.js';
import { boundTimes, makeDueAgain, offerFirst, shiftTimes } from '../store/outbox-times.js';
import { type Account, accountsOf } from './accounts.js';
import { allowanceOf } from './allowance.js';
import { createClimber } from './climb.js';
import { createDeliverOne } from './deliver-one.js';
import { createGates } from './gates.js';
import type { OutboxDeps } from './outbox-deps.js';
import { createRecordResult } from './record-result.js';

const LEASE_MS = 30 * SECOND;
const CONCURRENCY = 4;
/** How often the database is asked without being told; also how fast a stepped clock is noticed. */
const POLL_MS = SECOND;
/** Between two polls wall and monotonic time may differ by so much before the wall clock counts as stepped. */
const CLOCK_STEP_MS = 5 * SECOND;
/** At shutdown sends under way may finish for so long. */
const STOP_MS = 8 * SECOND;
/** A lock passes by itself; what cannot be claimed for longer than this is a broken database. */
const STUCK_MS = 2 * SECOND;
/** What was under way when the process died counts as two faults: at the fourth start it is sent bare. */
const FAULTS_OF_A_CRASH = 2;

export type Dispatcher = {
  /** Takes back what an earlier process left unfinished and begins. */
  readonly start: () => Promise<void>;
  /** Says that there may be something due. Cheap, never throws. */
  readonly wake: () => void;
  /** Stops claiming, lets what is under way finish within 8 s, and gives the rest back. */
  readonly stop: () => Promise<void>;
  /** Accounts at providers that are paused or failing. */
  readonly troubles: () => readonly AccountState[];
  /** For tests: resolves when nothing can go now and nothing is under way. */
  readonly drain: () => Promise<void>;
};

export function createDispatcher(deps: OutboxDeps): Dispatcher {
  const { clock, logger } = deps;
  const leaseMs = deps.leaseMs ?? LEASE_MS;
  const concurrency = deps.concurrency ?? CONCURRENCY;
  const accounts = accountsOf(deps.receivers.values());
  const gates = createGates(deps);
  const climber = createClimber(deps);
  const record = createRecordResult(deps, climber, wake);
  const deliverOne = createDeliverOne(deps, leaseMs, record);
  /** Rows in the hands of this process, by account. */
  const lanes = new Map<string, Set<number>>();
  const underway = new Set<Promise<void>>();
  const abort = new AbortController();
  let stopped = true;
  let claiming: Promise<void> | null = null;
  let again = false;
  let cancelPoll: Cancel | null = null;
  let cancelNext: Cancel | null = null;
  let cancelClimb: Cancel | null = null;
  let offset = clock.now() - clock.monotonic();
  /** Monotonic time of the first claim that failed since one succeeded. */
  let stuckSince: number | null = null;

  function wake(): void {
    if (stopped) return;
    if (claiming !== null) {
      again = true;
      return;
    }
    claiming = claimAll()
      .then(() => {
        stuckSince = null;
      })
      .catch(claimFailed)
      .finally(() => {
        claiming = null;
        if (again && !stopped) {
          again = false;
          wake();
        }
      });
  }

  function claimFailed(error: unknown): void {
    logger.error({ err: error }, 'notifications could not be claimed');
    stuckSince ??= clock.monotonic();
    if (isDatabaseTrouble(error) && clock.monotonic() - stuckSince >= STUCK_MS) deps.onStuck?.();
  }

  async function claimAll(): Promise<void> {
    const waits: number[] = [];
    const ready = accounts.flatMap((account) => {
      const passage = gates.passage(account.name);
      if (passage.kind === 'shut') waits.push(passage.forMs);
      // While an account fails, one message at a time asks whether it is back.
      const isAsking = passage.kind === 'ask';
      const room = passage.kind === 'shut' ? 0 : (isAsking ? 1 : concurrency) - lanesOf(account.name).size;
      return room > 0 ? [{ account, room, isAsking }] : [];
    });
    const claimedAt = clock.monotonic();
    const claims = await deps.db.transaction(async (tx) => {
      const claims: { readonly account: Account; readonly notification: Notification }[] = [];
      for (const one of ready) {
        const { claimed, moreInMs } = await claim(tx, one);
        claims.push(...claimed.map((notification) => ({ account: one.account, notification })));
        if (moreInMs !== null) waits.push(moreInMs);
      }
      return claims;
    });
    for (const { account, notification } of claims) start(account, notification, claimedAt);
    armNext(Math.min(...waits));
  }

  /** Takes what may go now of an account, and says when there may be more: ms from now, null when nothing is known to come. */
  async function claim(
    tx: Tx,
    one: { readonly account: Account; readonly room: number; readonly isAsking: boolean },
  ): Promise<{ readonly claimed: readonly Notification[]; readonly moreInMs: number | null }> {
    const nowMs = clock.now();
    const { name, receivers, budget } = one.account;
    const { notifications, accounts: calls } = deps.stores;
    const sinceMs = nowMs - (budget?.perMs ?? 0);
    const allowed =
      budget === null
        ? { total: one.room, others: one.room, moreAtMs: null }
        : allowanceOf(budget, await calls.callsSince(tx, name, sinceMs, budget.max));
    const moreInMs = allowed.moreAtMs === null ? null : allowed.moreAtMs - nowMs;
    if (allowed.total === 0) return { claimed: [], moreInMs };
    const claimed = await notifications.claimDue(tx, {
      nowMs,
      leaseMs,
      receivers,
      limit: Math.min(one.room, allowed.total),
      limitOfOthers: allowed.others,
      early: one.isAsking,
      exceptIds: [...lanesOf(name)],
    });
    if (claimed.length > 0) {
      const count = claimed.length;
      if (budget !== null)
        await calls.recordCalls(tx, { account: name, count, nowMs, forgetBeforeMs: sinceMs });
      return { claimed, moreInMs };
    }
    const nextDue = await notifications.nextDueMs(tx, receivers, nowMs);
    return { claimed, moreInMs: moreInMs ?? (nextDue === null ? null : nextDue - nowMs) };
  }

  function start(account: Account, claimed: Notification, claimedAt: number): void {
    const held = lanesOf(account.name);
    held.add(claimed.id);
    const turn = deliverOne({ notification: claimed, claimedAt }, abort.signal)
      .then((result) => (result === null ? refund(account) : gates.answered(account, result)))
      .catch((error: unknown) =>
        logger.error(
          { err: error, receiver: claimed.receiver, notificationId: claimed.id },
          'delivery could not be recorded; its lease will run out',
        ),
      )
      .finally(() => {
        held.delete(claimed.id);
        underway.delete(turn);
        wake();
      });
    underway.add(turn);
  }

  /** Nothing was sent, so nothing counts. */
  async function refund({ name, budget }: Account): Promise<void> {
    if (budget === null) return;
    await deps.db.transaction((tx) => deps.stores.accounts.refundCall(tx, name));
  }

  function lanesOf(account: string): Set<number> {
    const held = lanes.get(account) ?? new Set();
    lanes.set(account, held);
    return held;
  }

  /** Wakes exactly when something may go again, if that is before the next poll. */
  function armNext(waitMs: number): void {
    cancelNext?.();
    cancelNext = null;
    if (waitMs < POLL_MS && !stopped) cancelNext = clock.after(Math.max(1, waitMs), wake);
  }

  function poll(): void {
    cancelPoll = clock.after(POLL_MS, () => {
      tick()
        .catch((error: unknown) => logger.error({ err: error }, 'the outbox could not be looked after'))
        .finally(wake);
      if (!stopped) poll();
    });
  }

  async function tick(): Promise<void> {
    const now = clock.now() - clock.monotonic();
    const steppedMs = now - offset;
    offset = now;
    if (Math.abs(steppedMs) > CLOCK_STEP_MS) await clockStepped(steppedMs);
    await climb();
    await giveUpUnknown();
  }

  /** Passes on the pages whose time has come, and arms the one whose time comes before the next poll. */
  async function climb(): Promise<void> {
    if (await climber.climbDue()) wake();
    const next = await deps.stores.notifications.nextClimbMs(deps.db.kysely);
    const waitMs = next === null ? POLL_MS : next - clock.now();
    cancelClimb?.();
    cancelClimb = null;
    if (waitMs >= POLL_MS || stopped) return;
    cancelClimb = clock.after(Math.max(1, waitMs), () => {
      climb().catch((error: unknown) => logger.error({ err: error }, 'pages could not be passed on'));
    });
  }

  async function clockStepped(steppedMs: number): Promise<void> {
    logger.warn({ steppedMs }, 'the wall clock was stepped; times of the outbox follow it');
    await deps.db.transaction(async (tx) => {
      await shiftTimes(tx, steppedMs, clock.now());
      // What waits for a retry would be mute until the clock is where it was.
      if (steppedMs < 0) await makeDueAgain(tx, clock.now());
    });
  }

  /** Rows of receivers that are configured no more: each is ended with its reason. */
  async function giveUpUnknown(): Promise<void> {
    const claimedAt = clock.monotonic();
    const unknown = await deps.db.transaction((tx) =>
      deps.stores.notifications.claimDue(tx, {
        nowMs: clock.now(),
        leaseMs,
        exceptReceivers: [...deps.receivers.keys()],
        limit: 50,
      }),
    );
    for (const notification of unknown) await deliverOne({ notification, claimedAt }, abort.signal);
  }

  return {
    async start() {
      const nowMs = clock.now();
      await deps.db.transaction(async (tx) => {
        await deps.stores.notifications.releaseLeases(tx, { nowMs, faults: FAULTS_OF_A_CRASH });
        await makeDueAgain(tx, nowMs);
        await boundTimes(tx, nowMs);
        await offerFirst(tx, nowMs);
        await deps.atStart?.(tx, nowMs);
      });
      await gates.load();
      stopped = false;
      offset = nowMs - clock.monotonic();
      await climb();
      await giveUpUnknown();
      wake();
      poll();
    },
    wake,
    troubles: () => gates.states(),
    async stop() {
      if (stopped) return;
      stopped = true;
      cancelPoll?.();
      cancelNext?.();
      cancelClimb?.();
      const cancelAbort = clock.after(STOP_MS, () => abort.abort());
      await claiming;
      while (underway.size > 0) await Promise.allSettled([...underway]);
      cancelAbort();
      await deps.db.transaction((tx) => deps.stores.notifications.releaseLeases(tx, { nowMs: clock.now() }));
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
