/**
 * Tells somebody outside, at an interval, that the audit passes. When we are gone, late, or cut off, the ping stops and
 * whoever waits for it raises the alarm: that needs nothing of ours to work.
 */

import { type Cancel, type Clock, SECOND } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';

const TIMEOUT_MS = 5 * SECOND;

/** Audits pass every 30 s; a ping rests on one that is no older than three of them. */
const FRESH_MS = 90 * SECOND;

export type DeadManOptions = {
  /** Secret: whoever knows it can pretend that we are well. */
  readonly url: string;
  readonly intervalMs: number;
  readonly passedAgoMs: () => number;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: { readonly pinged: (outcome: 'sent' | 'failed' | 'withheld', atMs: number) => void };
};

export type DeadMan = { readonly start: () => void; readonly stop: () => Promise<void> };

export function createDeadMan(options: DeadManOptions): DeadMan {
  const { clock, logger } = options;
  let stopped = true;
  let cancel: Cancel | null = null;
  let running: Promise<void> | null = null;
  let last: 'sent' | 'failed' | 'withheld' = 'sent';

  async function ping(): Promise<void> {
    const outcome = options.passedAgoMs() > FRESH_MS ? 'withheld' : (await reached()) ? 'sent' : 'failed';
    options.metrics?.pinged(outcome, clock.now());
    // Once a change: a receiver that is down for a night is one fact.
    if (outcome !== last) {
      if (outcome === 'withheld') logger.error({}, 'the dead-man ping is withheld: the audit does not pass');
      else if (outcome === 'failed') logger.error({}, 'the dead-man receiver does not accept the ping');
      else logger.info({}, 'the dead-man receiver is pinged again');
    }
    last = outcome;
  }

  /** The address never leaves this function: errors of fetch may hold it. */
  async function reached(): Promise<boolean> {
    const controller = new AbortController();
    const cancelTimeout = clock.after(TIMEOUT_MS, () => controller.abort());
    try {
      const response = await options.fetch(options.url, { redirect: 'error', signal: controller.signal });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    } finally {
      cancelTimeout();
    }
  }

  function poll(): void {
    cancel = clock.after(options.intervalMs, () => {
      running ??= ping().finally(() => {
        running = null;
      });
      if (!stopped) poll();
    });
  }

  return {
    start() {
      stopped = false;
      poll();
    },
    async stop() {
      stopped = true;
      cancel?.();
      await running;
    },
  };
}
