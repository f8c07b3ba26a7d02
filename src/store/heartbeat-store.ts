/** Watchdogs that were ever heard, and when last. */

import { sql } from 'kysely';
import type { Labels } from '../domain/labels.js';
import { labelsFromText, labelsToText } from './incident-rows.js';
import { plannedBefore } from './stepped-clock.js';
import { storable } from './storable.js';
import type { Tx } from './tables.js';

export type Heartbeat = {
  readonly alertKey: string;
  readonly source: string;
  readonly name: string;
  readonly labels: Labels;
  readonly lastSeenAtMs: number;
  /** The last times between two beats, ms, oldest first. */
  readonly gaps: readonly number[];
  /** When its absence was raised; null while it is heard. */
  readonly silentSinceMs: number | null;
};

export type HeartbeatStore = ReturnType<typeof createHeartbeatStore>;

export function createHeartbeatStore() {
  return {
    /** Every Watchdog, in a fixed order. */
    async listHeartbeats(tx: Tx): Promise<Heartbeat[]> {
      const rows = await tx.selectFrom('heartbeats').selectAll().orderBy('alert_key').execute();
      return rows.map((row) => ({
        alertKey: row.alert_key,
        source: row.source,
        name: row.name,
        labels: labelsFromText(row.labels),
        lastSeenAtMs: row.last_seen_at,
        gaps: JSON.parse(row.gaps) as number[],
        silentSinceMs: row.silent_since,
      }));
    },

    /** Stores a beat: a new Watchdog, or an old one heard again. */
    async saveHeartbeat(tx: Tx, beat: Heartbeat): Promise<void> {
      const content = {
        source: storable(beat.source, 200),
        name: storable(beat.name, 200),
        labels: labelsToText(beat.labels),
        last_seen_at: beat.lastSeenAtMs,
        gaps: JSON.stringify(beat.gaps),
        silent_since: beat.silentSinceMs,
      };
      await tx
        .insertInto('heartbeats')
        .values({ alert_key: beat.alertKey, ...content })
        .onConflict((conflict) => conflict.column('alert_key').doUpdateSet(content))
        .execute();
    },

    /** Moves the last beats by a step of the wall clock, so that nobody seems silent, or heard, because of it. */
    async moveHeartbeats(
      tx: Tx,
      { nowMs, steppedMs }: { readonly nowMs: number; readonly steppedMs: number },
    ): Promise<void> {
      await tx
        .updateTable('heartbeats')
        .set({
          last_seen_at: sql`last_seen_at + ${steppedMs}`,
          silent_since: sql`silent_since + ${steppedMs}`,
        })
        .where(plannedBefore('last_seen_at', nowMs, steppedMs))
        .execute();
    },
  };
}
