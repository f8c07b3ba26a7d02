/** Serving health for whoever asks: evaluated live, once for those who ask together, and kept by the scheduled job. */

import { SECOND } from '../domain/clock.js';
import type { HealthTransition } from '../domain/serving-health.js';
import type { Logger } from '../log/logger.js';
import type { Database } from '../store/database.js';
import { createHealthStore } from '../store/health-store.js';
import { evaluateHealth, type HealthDeps, type ServingHealth } from './evaluate-health.js';
import { recordHealth } from './health-history.js';

/** An answer this young is given to the next who asks: a page that reloads must not load Prometheus. */
const FRESH_MS = 5 * SECOND;
const TRANSITIONS = 100;

export type HealthWatch = {
  readonly now: () => Promise<ServingHealth>;
  /** The newest changes, newest first. */
  readonly transitions: () => Promise<HealthTransition[]>;
  /** Evaluates, stores, logs what changed. For the scheduled job; what it returns is logged. */
  readonly keep: () => Promise<object>;
};

export function createHealthWatch(
  deps: HealthDeps & { readonly db: Database; readonly logger: Logger },
): HealthWatch {
  const store = createHealthStore();
  let latest: { readonly at: number; readonly health: Promise<ServingHealth> } | null = null;

  function now(): Promise<ServingHealth> {
    const at = deps.clock.monotonic();
    if (latest === null || at - latest.at > FRESH_MS) latest = { at, health: evaluateHealth(deps) };
    return latest.health;
  }

  return {
    now,
    transitions: () => store.transitions(deps.db.kysely, TRANSITIONS),
    async keep() {
      const health = await now();
      const changed = await recordHealth(deps.db, health);
      for (const { scope, from, to, says } of changed) {
        deps.logger.info({ scope, from, to, says }, 'serving health changed');
      }
      return { overall: health.overall, scopes: health.reports.length, changed: changed.length };
    },
  };
}
