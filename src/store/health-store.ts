/** Serving health as it was last seen, and how it changed. */

import { canonicalLabels, labelsFrom } from '../domain/labels.js';
import type { HealthStatus, HealthTransition, ServingReport } from '../domain/serving-health.js';
import { storable } from './storable.js';
import type { Tx } from './tables.js';

/** Changes older than this are deleted when new ones are stored. */
const KEEP_MS = 90 * 24 * 3_600_000;

export function createHealthStore() {
  return {
    /** The last known status by canonical scope. */
    async statuses(tx: Tx): Promise<Map<string, HealthStatus>> {
      const rows = await tx.selectFrom('serving_health').select(['scope', 'overall']).execute();
      return new Map(rows.map(({ scope, overall }) => [scope, overall]));
    },

    async saveReports(tx: Tx, reports: readonly ServingReport[]): Promise<void> {
      for (const report of reports) {
        const values = {
          at: report.atMs,
          overall: report.overall,
          report: storable(JSON.stringify(report), 100_000),
        };
        await tx
          .insertInto('serving_health')
          .values({ scope: canonicalLabels(report.scope), ...values })
          .onConflict((conflict) => conflict.column('scope').doUpdateSet(values))
          .execute();
      }
    },

    async addTransitions(tx: Tx, transitions: readonly HealthTransition[]): Promise<void> {
      const [first] = transitions;
      if (first === undefined) return;
      await tx
        .insertInto('serving_health_transitions')
        .values(
          transitions.map((one) => ({
            scope: JSON.stringify(one.scope),
            at: one.atMs,
            from_status: one.from,
            to_status: one.to,
            says: storable(one.says, 2_000),
          })),
        )
        .execute();
      await tx
        .deleteFrom('serving_health_transitions')
        .where('at', '<', first.atMs - KEEP_MS)
        .execute();
    },

    /** Newest first. */
    async transitions(tx: Tx, limit: number): Promise<HealthTransition[]> {
      const rows = await tx
        .selectFrom('serving_health_transitions')
        .selectAll()
        .orderBy('id', 'desc')
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        scope: labelsFrom(Object.entries(JSON.parse(row.scope) as Record<string, string>)),
        atMs: row.at,
        from: row.from_status,
        to: row.to_status,
        says: row.says,
      }));
    },
  };
}
