/** Keeps the newest report of each scope, and every change of its status: an event to read, never a page. */

import { canonicalLabels } from '../domain/labels.js';
import type { HealthTransition, ServingReport } from '../domain/serving-health.js';
import type { Database } from '../store/database.js';
import { createHealthStore } from '../store/health-store.js';
import type { ServingHealth } from './evaluate-health.js';

const store = createHealthStore();

/** Stores an evaluation in one transaction and returns what changed since the last one. */
export function recordHealth(db: Database, { reports }: ServingHealth): Promise<HealthTransition[]> {
  return db.transaction(async (tx) => {
    const before = await store.statuses(tx);
    const transitions = reports.flatMap((report): HealthTransition[] => {
      const from = before.get(canonicalLabels(report.scope)) ?? null;
      if (from === report.overall) return [];
      return [{ scope: report.scope, atMs: report.atMs, from, to: report.overall, says: unhealthy(report) }];
    });
    await store.saveReports(tx, reports);
    await store.addTransitions(tx, transitions);
    return transitions;
  });
}

/** "kv_cache critical: 97% of KV cache on the worst worker; gpu unknown: …"; "all five checks are healthy". */
function unhealthy({ checks }: ServingReport): string {
  const told = checks.filter(({ status }) => status !== 'healthy');
  if (told.length === 0) return 'all five checks are healthy';
  return told.map(({ name, status, detail }) => `${name} ${status}: ${detail}`).join('; ');
}
