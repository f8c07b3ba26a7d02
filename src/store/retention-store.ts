/**
 * Deletes what is past its age, a bounded number of rows at a time. What is open or still to be done is never touched,
 * whatever its age.
 */

import { type SelectQueryBuilder, sql } from 'kysely';
import type { Tables, Tx } from './tables.js';

export type Expired = {
  /** What is older goes, ms since 1970. */
  readonly beforeMs: number;
  /** At most so many rows. */
  readonly limit: number;
};

/** Large parts of an incident, deleted before it: in one statement with it they could be ten thousands of rows. */
const PARTS = ['recordings', 'diagnoses', 'timeline', 'incident_alerts', 'notifications', 'work'] as const;

export type RetentionStore = ReturnType<typeof createRetentionStore>;

export function createRetentionStore() {
  return {
    /** Webhook bodies with the entries of them that were set aside. Returns how many bodies. */
    async deleteReceipts(tx: Tx, { beforeMs, limit }: Expired): Promise<number> {
      const old = tx
        .selectFrom('receipts')
        .select('id')
        .where('received_at', '<', beforeMs)
        .orderBy('received_at')
        .limit(limit);
      const done = await tx.deleteFrom('receipts').where('id', 'in', old).executeTakeFirst();
      return Number(done.numDeletedRows);
    },

    /** Frozen evidence of incidents that are resolved. */
    async deleteRecordings(tx: Tx, { beforeMs, limit }: Expired): Promise<number> {
      const old = tx
        .selectFrom('recordings as r')
        .innerJoin('incidents as i', 'i.id', 'r.incident_id')
        .select('r.id')
        .where('r.recorded_at', '<', beforeMs)
        .where('i.state', '=', 'resolved')
        .orderBy('r.recorded_at')
        .limit(limit);
      const done = await tx.deleteFrom('recordings').where('id', 'in', old).executeTakeFirst();
      return Number(done.numDeletedRows);
    },

    /**
     * Incidents that were resolved before, with everything about them, part by part. Returns how many rows went: 0 when
     * nothing is left to delete.
     */
    async deleteIncidents(tx: Tx, { beforeMs, limit }: Expired): Promise<number> {
      const incident = await finished(tx)
        .select('i.id')
        .where('i.resolved_at', '<', beforeMs)
        .orderBy('i.resolved_at')
        .limit(1)
        .executeTakeFirst();
      if (incident === undefined) return 0;
      let left = limit;
      for (const table of PARTS) {
        const part = tx.selectFrom(table).select('id').where('incident_id', '=', incident.id).limit(left);
        const done = await tx.deleteFrom(table).where('id', 'in', part).executeTakeFirst();
        left -= Number(done.numDeletedRows);
        if (left <= 0) return limit;
      }
      await tx.deleteFrom('quarantined_alerts').where('incident_id', '=', incident.id).execute();
      await tx.deleteFrom('incidents').where('id', '=', incident.id).execute();
      return limit - left + 1;
    },
  };
}

/** Resolved incidents about which nothing is to be said or done any more. */
function finished(tx: Tx): SelectQueryBuilder<Tables & { i: Tables['incidents'] }, 'i', object> {
  return tx
    .selectFrom('incidents as i')
    .where('i.state', '=', 'resolved')
    .where(
      sql<boolean>`not exists (select 1 from work w where w.incident_id = i.id and w.state in ('queued', 'running'))`,
    )
    .where(
      sql<boolean>`not exists (select 1 from notifications n where n.incident_id = i.id and n.state in ('queued', 'sending', 'withheld'))`,
    )
    .where(
      sql<boolean>`not exists (select 1 from timers t where t.incident_id = i.id and t.state in ('waiting', 'firing'))`,
    )
    .where(
      sql<boolean>`not exists (select 1 from storms s where s.incident_id = i.id and s.ended_at is null)`,
    );
}
