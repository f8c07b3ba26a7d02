/** Says in one log entry, when a maintenance window is over, what happened in it. */

import { publicId } from '../domain/incident.js';
import { type MaintenanceWindow, type Occurrence, occurrenceAt } from '../domain/maintenance.js';
import type { Logger } from '../log/logger.js';
import { createReconcileStore } from '../store/reconcile-store.js';
import type { Upkeep } from './upkeep.js';

/** One part of the upkeep. Which windows run is remembered in memory: one that ends while we do not run has no summary. */
export function createMaintenanceSummary(windows: readonly MaintenanceWindow[], logger: Logger): Upkeep {
  const running = new Map<MaintenanceWindow, Occurrence>();
  const store = createReconcileStore();

  return async function maintenanceSummary(tx, _stores, nowMs) {
    for (const window of windows) {
      const before = running.get(window);
      const now = occurrenceAt(window, nowMs);
      if (now !== null) running.set(window, now);
      else running.delete(window);
      if (before === undefined || now?.startMs === before.startMs) continue;
      const incidents = await store.keptBackBy(tx, window.comment, before.startMs);
      const standing = incidents.filter(({ state }) => state !== 'resolved');
      logger.warn(
        {
          window: window.comment,
          over: incidents.length - standing.length,
          standing: standing.length,
          incidents: incidents
            .slice(0, 100)
            .map(({ id, alertName, state }) => `${publicId(id)} ${alertName} ${state}`),
        },
        'maintenance window is over',
      );
    }
    return false;
  };
}
