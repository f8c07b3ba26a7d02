/**
 * After a restore: what the backup held as due may be done or over since, so it waits until Alertmanager has sent the
 * alert again, or was asked twice and told everything, which closes what is over. It waits ten minutes at most and
 * then goes out: it may be late, never lost.
 */

import { type Clock, MINUTE } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import type { Database, Tx } from '../store/database.js';
import { holdRestored, type RestoredRows, releaseRestored } from '../store/restored-rows.js';
import type { Reconciled } from './reconcile.js';
import type { Upkeep } from './upkeep.js';

/** Longer than Alertmanager needs for two looks and a `group_interval`; what nobody confirms is late by as much. */
export const RESTORED_HOLD_MS = 10 * MINUTE;

/** As many as reconciling needs to call an alert gone. */
const LOOKS = 2;

export type RestoredHold = {
  /** Part of the outbox's start, before anything is claimed. */
  readonly begin: (tx: Tx, nowMs: number) => Promise<void>;
  /** A comparison with Alertmanager has ended, what it found included. */
  readonly compared: (result: Pick<Reconciled, 'outcome'>) => void;
  /** Lets go what was confirmed. */
  readonly upkeep: Upkeep;
};

export function createRestoredHold(deps: {
  readonly db: Pick<Database, 'restoredReachMs'>;
  /** 10 min when absent. */
  readonly holdMs?: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
}): RestoredHold {
  let held: (RestoredRows & { readonly sinceMs: number }) | null = null;
  let looks = 0;

  return {
    async begin(tx, nowMs) {
      if (deps.db.restoredReachMs === null) return;
      held = { sinceMs: nowMs, untilMs: nowMs + (deps.holdMs ?? RESTORED_HOLD_MS) };
      const count = await holdRestored(tx, held);
      deps.logger.warn(
        { held: count, until: new Date(held.untilMs).toISOString() },
        'the database was restored: what was due in it waits until Alertmanager confirms it',
      );
    },
    compared({ outcome }) {
      if (outcome === 'complete') looks += 1;
    },
    upkeep: async function restoredHold(tx, _stores, nowMs) {
      if (held === null) return false;
      if (nowMs >= held.untilMs) {
        held = null;
        return true;
      }
      const confirmed = looks >= LOOKS;
      const heardAfterMs = confirmed ? null : held.sinceMs;
      const released = await releaseRestored(tx, { ...held, heardAfterMs, nowMs });
      if (confirmed) held = null;
      return released > 0;
    },
  };
}
