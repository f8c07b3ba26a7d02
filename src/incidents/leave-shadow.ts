/**
 * At a start that is live after a time in shadow mode: what stands open was told to nobody. A critical that
 * nobody took pages now, and every incident that is not over gets its card.
 */

import type { Database } from '../store/database.js';
import type { IntakeDeps } from './intake-types.js';
import { type PageAnewStores, pageAnew, tellTold } from './page-anew.js';

export type LeaveShadowDeps = Pick<IntakeDeps, 'route'> & {
  readonly db: Database;
  readonly stores: PageAnewStores;
  readonly pageDeadlineMs: number;
  readonly now: () => number;
};

/** Tells of what was only shadowed, and returns of how many incidents. Whoever calls wakes outbox and work. */
export async function leaveShadow(deps: LeaveShadowDeps): Promise<number> {
  const { db, stores, route, pageDeadlineMs } = deps;
  return db.transaction(async (tx) => {
    const nowMs = deps.now();
    const untold = await stores.reconcile.onlyShadowed(tx);
    const pages = new Set(untold.filter((one) => one.page).map((one) => one.incidentId));
    for (const incident of await stores.incidents.findIncidents(
      tx,
      untold.map((one) => one.incidentId),
    )) {
      const urgent = pages.has(incident.id) && incident.state === 'open' && incident.silence === null;
      if (urgent) {
        await pageAnew(tx, stores, incident, { because: 'shadow mode ended', route, pageDeadlineMs, nowMs });
      } else {
        await tellTold(tx, stores, incident, 'changed', nowMs);
      }
    }
    return untold.length;
  });
}
