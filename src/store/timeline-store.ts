/** The append-only story of incidents. */

import type { Selectable } from 'kysely';
import type { NewTimelineEntry, TimelineEntry } from '../domain/timeline.js';
import { bulkStatement, placeholderRows } from './bulk.js';
import { storable } from './storable.js';
import type { TimelineTable, Tx } from './tables.js';

/** Longest text of one entry; hostile labels must not make a page of one line. */
const MAX_TEXT = 2000;

const COLUMNS = ['incident_id', 'at', 'kind', 'text', 'actor', 'via'] as const;

const insertEntries = bulkStatement((tx, count) =>
  tx
    .insertInto('timeline')
    .values(placeholderRows('timeline', COLUMNS, count))
    .compile(),
);

export type TimelineStore = ReturnType<typeof createTimelineStore>;

export function createTimelineStore() {
  return {
    /** Appends entries in the order given. */
    async append(tx: Tx, entries: readonly NewTimelineEntry[]): Promise<void> {
      await insertEntries.run(
        tx,
        entries.map((entry) => [
          entry.incidentId,
          entry.atMs,
          entry.kind,
          storable(entry.text, MAX_TEXT),
          storable(entry.actor, 200),
          entry.via == null ? null : storable(entry.via, 100),
        ]),
      );
    },

    /** The whole story of an incident, oldest first. */
    async read(tx: Tx, incidentId: number): Promise<TimelineEntry[]> {
      const rows = await tx
        .selectFrom('timeline')
        .selectAll()
        .where('incident_id', '=', incidentId)
        .orderBy('id')
        .execute();
      return rows.map(toTimelineEntry);
    },
  };
}

export function toTimelineEntry(row: Selectable<TimelineTable>): TimelineEntry {
  return {
    id: row.id,
    incidentId: row.incident_id,
    atMs: row.at,
    kind: row.kind,
    text: row.text,
    actor: row.actor,
    via: row.via,
  };
}
