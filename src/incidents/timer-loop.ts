/**
 * Fires timers when they are due. Due times are in the database and in wall time, the ticking is monotonic: a step of
 * the wall clock moves what waits along with it, so that nothing is skipped and nothing comes in a burst.
 */

import { type Cancel, type Clock, MINUTE, SECOND } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import type { Database, Tx } from '../store/database.js';
import type { Timer, TimerStore } from '../store/timer-store.js';
import type { TimerEffect, TimerHandlers } from './timer-effect.js';

/** How often the database is asked; also how fast a stepped clock is noticed. */
const POLL_MS = SECOND;
/** Between two polls wall and monotonic time may differ by so much before the wall clock counts as stepped. */
const CLOCK_STEP_MS = 5 * SECOND;
/** How often it is asked what is to be planned. */
const PLAN_EVERY_MS = 15 * SECOND;
/** Timers taken at once. */
const BATCH = 20;
/** Far above the few seconds that a look at the metrics may take: a lease lost means a process lost. */
const LEASE_MS = MINUTE;
/** After this many failed tries a timer is dropped, and the log says so. */
const MAX_ATTEMPTS = 5;

export type TimerMetrics = {
  readonly stepped: (steppedMs: number) => void;
  readonly ended: (kind: Timer['kind'], outcome: TimerEffect['kind'] | 'failed') => void;
};

export type TimerLoopDeps = {
  readonly db: Database;
  readonly timers: TimerStore;
  readonly handlers: TimerHandlers;
  /** Plans anew what must not count the time in which nobody ran. */
  readonly onStart: (tx: Tx, nowMs: number) => Promise<void>;
  /** Plans what follows from the present state of things; asked every few seconds. */
  readonly plan: (tx: Tx, nowMs: number) => Promise<void>;
  /** Moves what else waits in the database by a step of the wall clock, in the transaction that moves the timers. */
  readonly onStep: (tx: Tx, step: { readonly nowMs: number; readonly steppedMs: number }) => Promise<void>;
  /** Called after a timer took effect: notifications may be due. */
  readonly onDue: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: TimerMetrics;
};

export type TimerLoop = {
  /** Takes back what an earlier process left unfinished and begins. */
  readonly start: () => Promise<void>;
  /** Stops taking, and waits for what is under way. */
  readonly stop: () => Promise<void>;
};

export function createTimerLoop(deps: TimerLoopDeps): TimerLoop {
  const { db, timers, clock, logger } = deps;
  let stopped = true;
  let running: Promise<void> | null = null;
  let cancelPoll: Cancel | null = null;
  let offset = 0;
  let newestId = 0;
  let plannedAt = Number.NEGATIVE_INFINITY;

  async function turn(): Promise<void> {
    await noticeStep();
    if (clock.monotonic() - plannedAt >= PLAN_EVERY_MS) {
      plannedAt = clock.monotonic();
      await db.transaction((tx) => deps.plan(tx, clock.now()));
    }
    for (;;) {
      if (stopped) return;
      const claimed = await db.transaction((tx) =>
        timers.claimTimers(tx, { nowMs: clock.now(), leaseMs: LEASE_MS, limit: BATCH }),
      );
      await Promise.all(claimed.map(carryOut));
      if (claimed.length < BATCH) break;
    }
    newestId = await timers.newestTimerId(db.kysely);
  }

  /** Before anything is taken: by the stepped clock everything would be due, or nothing. */
  async function noticeStep(): Promise<void> {
    const now = clock.now() - clock.monotonic();
    const steppedMs = Math.round(now - offset);
    if (Math.abs(steppedMs) < CLOCK_STEP_MS) {
      offset = now;
      return;
    }
    const nowMs = clock.now();
    await db.transaction(async (tx) => {
      await timers.moveTimers(tx, { nowMs, steppedMs, upToId: newestId });
      await deps.onStep(tx, { nowMs, steppedMs });
    });
    offset = now;
    logger.warn({ steppedMs }, 'the wall clock was stepped; what waits keeps the time that it had left');
    deps.metrics?.stepped(steppedMs);
  }

  async function carryOut(timer: Timer): Promise<void> {
    try {
      const act = await deps.handlers[timer.kind](timer);
      const effect = await db.transaction((tx) => finish(tx, timer, act));
      if (effect === null) return;
      deps.metrics?.ended(timer.kind, effect.kind);
      if (effect.kind === 'fired') deps.onDue();
    } catch (error) {
      logger.error({ err: error, ...fieldsOf(timer) }, 'a timer failed');
      await putBack(timer, error).catch((cause: unknown) =>
        logger.error(
          { err: cause, ...fieldsOf(timer) },
          'a timer could not be put back; its lease will run out',
        ),
      );
    }
  }

  /** Null when the claim was lost meanwhile: whatever was written is rolled back with it. */
  async function finish(
    tx: Tx,
    timer: Timer,
    act: Awaited<ReturnType<TimerHandlers[Timer['kind']]>>,
  ): Promise<TimerEffect | null> {
    const nowMs = clock.now();
    const { id, fence } = timer;
    if (!(await timers.isClaimed(tx, { id, fence }))) return null;
    const effect = await act(tx, nowMs);
    if (effect.kind === 'postponed') await timers.postponeTimer(tx, { id, fence, ...effect });
    else {
      const mayReturn = effect.kind === 'dropped' && effect.mayReturn;
      await timers.finishTimer(tx, {
        id,
        fence,
        state: effect.kind,
        reason: effect.reason,
        mayReturn,
        nowMs,
      });
    }
    return effect;
  }

  async function putBack(timer: Timer, error: unknown): Promise<void> {
    const nowMs = clock.now();
    const { id, fence, attempts } = timer;
    const reason = `failed: ${error instanceof Error ? error.message : String(error)}`;
    if (attempts < MAX_ATTEMPTS) {
      const dueAtMs = nowMs + SECOND * 2 ** attempts;
      await db.transaction((tx) => timers.postponeTimer(tx, { id, fence, dueAtMs, reason }));
      return;
    }
    await db.transaction((tx) => timers.finishTimer(tx, { id, fence, state: 'dropped', reason, nowMs }));
    logger.error(fieldsOf(timer), 'a timer was given up');
    deps.metrics?.ended(timer.kind, 'failed');
  }

  function poll(): void {
    cancelPoll = clock.after(POLL_MS, () => {
      running ??= turn()
        .catch((error: unknown) => logger.error({ err: error }, 'timers could not be taken'))
        .finally(() => {
          running = null;
        });
      if (!stopped) poll();
    });
  }

  return {
    async start() {
      const nowMs = clock.now();
      await db.transaction(async (tx) => {
        await timers.takeBackTimers(tx, { nowMs });
        await deps.onStart(tx, nowMs);
      });
      newestId = await timers.newestTimerId(db.kysely);
      offset = clock.now() - clock.monotonic();
      stopped = false;
      poll();
    },
    async stop() {
      stopped = true;
      cancelPoll?.();
      await running;
    },
  };
}

function fieldsOf({ id, kind, key, incidentId, attempts }: Timer): Record<string, unknown> {
  return { timerId: id, kind, key, incidentId, attempts };
}
