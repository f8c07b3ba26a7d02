/** Webhook bodies as they arrived, and the entries of them that could not be read. */

import { bulkStatement, listSlices, placeholderRows } from './bulk.js';
import { storable } from './storable.js';
import type { Tx } from './tables.js';

export type NewReceipt = {
  readonly receivedAtMs: number;
  readonly source: string;
  readonly kind: 'group' | 'unreadable';
  readonly groupKey: string | null;
  readonly truncatedAlerts: number;
  readonly alertCount: number;
  readonly quarantinedCount: number;
  readonly body: Uint8Array;
};

export type NewQuarantinedAlert = {
  readonly receiptId: number;
  readonly incidentId: number | null;
  readonly position: number;
  readonly reason: string;
  readonly raw: string;
};

const RECEIPT_COLUMNS = [
  'received_at',
  'source',
  'kind',
  'group_key',
  'truncated_alerts',
  'alert_count',
  'quarantined_count',
  'body',
] as const;

const insertReceiptRows = bulkStatement((tx, count) =>
  tx
    .insertInto('receipts')
    .values(placeholderRows('receipts', RECEIPT_COLUMNS, count))
    .returning('id')
    .compile(),
);

const QUARANTINED_COLUMNS = ['receipt_id', 'incident_id', 'position', 'reason', 'raw'] as const;

const insertQuarantinedRows = bulkStatement((tx, count) =>
  tx
    .insertInto('quarantined_alerts')
    .values(placeholderRows('quarantined_alerts', QUARANTINED_COLUMNS, count))
    .compile(),
);

/** Longest text kept of one unreadable entry; the whole body stands in the receipt. */
const MAX_RAW = 16_384;

export type ReceiptStore = ReturnType<typeof createReceiptStore>;

export function createReceiptStore() {
  return {
    /** Stores bodies and returns their ids in the same order. */
    async insertReceipts(tx: Tx, receipts: readonly NewReceipt[]): Promise<number[]> {
      const rows = await insertReceiptRows.run(
        tx,
        receipts.map((one) => [
          one.receivedAtMs,
          one.source,
          one.kind,
          one.groupKey === null ? null : storable(one.groupKey, 2000),
          one.truncatedAlerts,
          one.alertCount,
          one.quarantinedCount,
          one.body,
        ]),
      );
      return inInsertOrder(rows);
    },

    /** Bodies that were taken at a moment from a source, oldest first: those of one commit share it. */
    async receivedAt(tx: Tx, source: string, receivedAtMs: number, limit: number): Promise<Uint8Array[]> {
      const rows = await tx
        .selectFrom('receipts')
        .select('body')
        .where('received_at', '=', receivedAtMs)
        .where('source', '=', source)
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(({ body }) => body);
    },

    /** The texts of entries that were set aside for these incidents before, as `<incidentId> <text>`. */
    async findQuarantined(tx: Tx, incidentIds: readonly number[]): Promise<Set<string>> {
      const known = new Set<string>();
      for (const slice of listSlices(incidentIds)) {
        const rows = await tx
          .selectFrom('quarantined_alerts')
          .select(['incident_id', 'raw'])
          .where('incident_id', 'in', slice)
          .execute();
        for (const row of rows) known.add(`${row.incident_id} ${row.raw}`);
      }
      return known;
    },

    /** Stores entries that could not be read. */
    async insertQuarantined(tx: Tx, entries: readonly NewQuarantinedAlert[]): Promise<void> {
      await insertQuarantinedRows.run(
        tx,
        entries.map((one) => [
          one.receiptId,
          one.incidentId,
          one.position,
          storable(one.reason, 500),
          storable(one.raw, MAX_RAW),
        ]),
      );
    },
  };
}

/** Ids go up in the order the rows were given, but `returning` promises no order of its rows. */
export function inInsertOrder(rows: readonly Record<string, unknown>[]): number[] {
  return rows.map((row) => Number(row.id)).sort((a, b) => a - b);
}
