/**
 * Housekeeping by the clock on the wall. node-cron says when; it is known to stop when the wall clock is stepped back and
 * to skip an hour that is doubled, so nothing that pages hangs on it, and whether a job came about is watched apart.
 */

import { type Cancel, type Clock, MINUTE } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';

/** The part of node-cron that is used. */
export type Cron = {
  readonly schedule: (
    expression: string,
    run: () => unknown,
    options: {
      readonly timezone: string;
      readonly noOverlap: boolean;
      readonly name: string;
      /** It would write to the console; the watch below says it in our words. */
      readonly suppressMissedWarning: boolean;
    },
  ) => { readonly msToNext: () => number | null; readonly destroy: () => unknown };
};

export type JobDeps = {
  readonly name: string;
  /** Cron in UTC. */
  readonly schedule: string;
  /** Does it once; what it returns is logged. Rejects when it could not be done. */
  readonly run: (signal: AbortSignal) => Promise<object>;
  readonly cron: Cron;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: {
    readonly jobRan: (job: string, outcome: 'succeeded' | 'failed', atMs: number) => void;
    readonly jobMissed: (job: string, missed: boolean) => void;
  };
  /** Told why the job did not come about, and null once it did. */
  readonly onMissed?: (detail: string | null) => void;
};

export type ScheduledJob = {
  /** Resolves when the run under way, if any, was given up. */
  readonly stop: () => Promise<void>;
};

/** A run may begin this late, and takes its time: then it is missed. */
const GRACE_MS = 10 * MINUTE;
const WATCH_MS = MINUTE;

export function startScheduledJob(deps: JobDeps): ScheduledJob {
  const { name, clock, logger } = deps;
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  let cancelWatch: Cancel = () => {};
  const task = deps.cron.schedule(deps.schedule, turn, {
    timezone: 'UTC',
    noOverlap: true,
    name,
    suppressMissedWarning: true,
  });
  let overdueAt = nextDeadline();
  deps.metrics?.jobMissed(name, false);
  watch();

  /** Monotonic: a stepped wall clock must not excuse a job that does not come. */
  function nextDeadline(): number {
    return clock.monotonic() + (task.msToNext() ?? 0) + GRACE_MS;
  }

  function turn(): Promise<void> {
    if (stopping.signal.aborted) return Promise.resolve();
    running ??= once().finally(() => {
      running = null;
    });
    return running;
  }

  async function once(): Promise<void> {
    const startedAt = clock.monotonic();
    try {
      const done = await deps.run(stopping.signal);
      logger.info({ job: name, ...done, tookMs: Math.round(clock.monotonic() - startedAt) }, 'job done');
      deps.metrics?.jobRan(name, 'succeeded', clock.now());
      miss(null);
    } catch (error) {
      if (stopping.signal.aborted) return;
      logger.error({ err: error, job: name }, 'job failed');
      deps.metrics?.jobRan(name, 'failed', clock.now());
      miss(`${name} failed: ${(error as Error).message}`);
    }
    overdueAt = nextDeadline();
  }

  function miss(detail: string | null): void {
    deps.metrics?.jobMissed(name, detail !== null);
    deps.onMissed?.(detail);
  }

  /** What is overdue is said, and done: whoever should have called it may be dead. */
  function watch(): void {
    cancelWatch = clock.after(WATCH_MS, () => {
      if (stopping.signal.aborted) return;
      watch();
      if (running !== null || clock.monotonic() < overdueAt) return;
      logger.error({ job: name, schedule: deps.schedule }, 'job missed, it is run now');
      miss(`${name} did not run when it was due (${deps.schedule})`);
      void turn();
    });
  }

  return {
    async stop() {
      stopping.abort();
      cancelWatch();
      await task.destroy();
      await running;
    },
  };
}
