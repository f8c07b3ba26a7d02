/** Reconciles right after the start, then once an interval of monotonic time, and when asked. One at a time. */

import { type Cancel, type Clock, MINUTE, SECOND } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import type { Reconcile, Reconciled } from './reconcile.js';

const DEFAULT_INTERVAL_MS = MINUTE;

export type ReconcileStatus = {
  /** Null before the first comparison ended. */
  readonly outcome: Reconciled['outcome'] | null;
  /** Why the last comparison is not the whole truth. */
  readonly faults: readonly string[];
  /** When everything was last known, ms since 1970; null when it never was. */
  readonly completeAtMs: number | null;
  /** Since when it is not, ms since 1970; null while it is. */
  readonly blindSinceMs: number | null;
};

export type ReconcileLoop = {
  readonly start: () => void;
  /** Compares now, or once more after the comparison under way. Never rejects. */
  readonly now: () => Promise<void>;
  readonly status: () => ReconcileStatus;
  /** Waits for the comparison under way. */
  readonly stop: () => Promise<void>;
};

export type ReconcileLoopDeps = {
  readonly reconcile: Pick<Reconcile, 'run'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 1 min when absent. */
  readonly intervalMs?: number;
  readonly metrics?: { readonly reconciled: (result: Reconciled & { readonly atMs: number }) => void };
};

export function createReconcileLoop(deps: ReconcileLoopDeps): ReconcileLoop {
  const { clock, logger } = deps;
  const intervalMs = Math.max(SECOND, deps.intervalMs ?? DEFAULT_INTERVAL_MS);
  let status: ReconcileStatus = { outcome: null, faults: [], completeAtMs: null, blindSinceMs: null };
  let running: Promise<void> | null = null;
  let queued: Promise<void> | null = null;
  let cancel: Cancel | null = null;
  let stopped = true;

  async function once(): Promise<void> {
    try {
      const result = await deps.reconcile.run();
      note(result.outcome, result.faults);
      deps.metrics?.reconciled({ ...result, atMs: clock.now() });
    } catch (error) {
      note('unreachable', ['our own database could not be read or written']);
      logger.error({ err: error }, 'reconciling failed');
    }
  }

  function note(outcome: Reconciled['outcome'], faults: readonly string[]): void {
    const nowMs = clock.now();
    const complete = outcome === 'complete';
    // Said when it changes, not once a minute.
    if (faults.join() !== status.faults.join()) {
      if (faults.length > 0) logger.warn({ outcome, faults }, 'Alertmanager is not wholly known');
      else logger.info({}, 'Alertmanager is wholly known again');
    }
    status = {
      outcome,
      faults,
      completeAtMs: complete ? nowMs : status.completeAtMs,
      blindSinceMs: complete ? null : (status.blindSinceMs ?? nowMs),
    };
  }

  function run(): Promise<void> {
    running = once().finally(() => {
      running = null;
    });
    return running;
  }

  function now(): Promise<void> {
    if (stopped) return Promise.resolve();
    if (running === null) return run();
    // What is asked for during a comparison may have come too late for it.
    queued ??= running.then(() => {
      queued = null;
      return stopped ? undefined : run();
    });
    return queued;
  }

  function tick(): void {
    cancel = clock.after(intervalMs, () => {
      void now();
      if (!stopped) tick();
    });
  }

  return {
    start() {
      stopped = false;
      void now();
      tick();
    },
    now,
    status: () => status,
    async stop() {
      stopped = true;
      cancel?.();
      await queued;
      await running;
    },
  };
}
