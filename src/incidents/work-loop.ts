/** Takes due work from the database, a few at a time, and puts back what failed. Timers are monotonic. */

import { type Cancel, type Clock, MINUTE, SECOND } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import type { Database } from '../store/database.js';
import type { NotificationStore } from '../store/notification-store.js';
import type { TimelineStore } from '../store/timeline-store.js';
import type { Work, WorkStore } from '../store/work-store.js';

/** Investigations at once. More would only queue at the metrics source's four connections. */
const CONCURRENCY = 4;

/** How often the database is asked without being told: finds work whose lease ran out. */
const IDLE_POLL_MS = SECOND;

/** Longest a piece of work may stay claimed: far above the diagnosis' own bound, so a lease lost means a process lost. */
const WORK_LEASE_MS = MINUTE;

/** After this many failed tries a piece of work is set aside and its page goes out as it is. */
export const MAX_WORK_ATTEMPTS = 5;

export type WorkLoopDeps = {
  readonly db: Database;
  readonly work: WorkStore;
  readonly notifications: NotificationStore;
  readonly timeline: TimelineStore;
  readonly investigate: (work: Work) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onDue: () => void;
};

export type WorkLoop = {
  readonly start: () => void;
  /** Says that there may be work. Cheap, never throws. */
  readonly wake: () => void;
  /** Stops claiming and waits for what runs. */
  readonly stop: () => Promise<void>;
};

export function createWorkLoop(deps: WorkLoopDeps): WorkLoop {
  const running = new Set<Promise<void>>();
  let stopped = true;
  let claiming = false;
  let again = false;
  let cancelPoll: Cancel | null = null;

  function wake(): void {
    if (stopped) return;
    if (claiming) {
      again = true;
      return;
    }
    claiming = true;
    void claimAll()
      .catch((error: unknown) => deps.logger.error({ err: error }, 'work could not be claimed'))
      .finally(() => {
        claiming = false;
        if (again && !stopped) {
          again = false;
          wake();
        }
      });
  }

  async function claimAll(): Promise<void> {
    while (!stopped && running.size < CONCURRENCY) {
      const work = await deps.db.transaction((tx) =>
        deps.work.claimWork(tx, { nowMs: deps.clock.now(), leaseMs: WORK_LEASE_MS }),
      );
      if (work === null) return;
      const run = carryOut(work).finally(() => {
        running.delete(run);
        wake();
      });
      running.add(run);
    }
  }

  async function carryOut(work: Work): Promise<void> {
    try {
      if (work.attempts > MAX_WORK_ATTEMPTS) {
        await setAside(work);
        return;
      }
      await deps.investigate(work);
      await deps.db.transaction((tx) => deps.work.finishWork(tx, { id: work.id, fence: work.fence }));
    } catch (error) {
      // Given up for the stop: the next process gives the claim back and goes on.
      if (stopped) return;
      deps.logger.error({ err: error, incidentId: work.incidentId, workId: work.id }, 'investigation failed');
      await putBack(work, error).catch((cause: unknown) =>
        deps.logger.error(
          { err: cause, workId: work.id },
          'work could not be put back; its lease will run out',
        ),
      );
    }
  }

  function putBack(work: Work, error: unknown): Promise<void> {
    const delayMs = SECOND * 2 ** Math.min(work.attempts, 5);
    const text = error instanceof Error ? error.message : String(error);
    return deps.db.transaction((tx) =>
      deps.work.retryWork(tx, {
        id: work.id,
        fence: work.fence,
        dueAtMs: deps.clock.now() + delayMs,
        error: text,
      }),
    );
  }

  /** Poison: the incident keeps its page and says that it could not be diagnosed. */
  async function setAside(work: Work): Promise<void> {
    const nowMs = deps.clock.now();
    await deps.db.transaction(async (tx) => {
      await deps.work.quarantineWork(tx, { id: work.id, fence: work.fence });
      await deps.timeline.append(tx, [
        {
          incidentId: work.incidentId,
          atMs: nowMs,
          kind: 'diagnosis_failed',
          text: `Set aside after ${MAX_WORK_ATTEMPTS} failed tries to diagnose: ${work.lastError ?? 'the process died each time'}`,
          actor: 'wakewell',
        },
      ]);
      await deps.notifications.pullForward(tx, work.incidentId, nowMs);
    });
    deps.onDue();
  }

  function poll(): void {
    cancelPoll = deps.clock.after(IDLE_POLL_MS, () => {
      wake();
      if (!stopped) poll();
    });
  }

  return {
    start() {
      stopped = false;
      wake();
      poll();
    },
    wake,
    async stop() {
      stopped = true;
      cancelPoll?.();
      while (running.size > 0) await Promise.allSettled([...running]);
    },
  };
}
