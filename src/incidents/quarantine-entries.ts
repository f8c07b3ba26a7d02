/** Entries of a body that could not be read: kept as they came, and shown to whoever looks at their neighbours. */

import type { Tx } from '../store/database.js';
import type { PlannedRequest } from './plan-intake.js';
import { about } from './planned-incident.js';
import type { FollowUps, WriteStores } from './write-types.js';

/** Stores the entries that could not be read, and tells of those that are new to the incident they are shown in. */
export async function quarantineEntries(
  tx: Tx,
  stores: WriteStores,
  requests: readonly PlannedRequest[],
  receiptIds: readonly number[],
  follow: FollowUps,
  nowMs: number,
): Promise<void> {
  const rows = requests.flatMap((request, index) => {
    const { parsed } = request.input;
    const entries = parsed.kind === 'group' ? parsed.group.quarantined : [];
    return entries.map((entry) => ({ entry, request, receiptId: receiptIds[index] ?? 0 }));
  });
  if (rows.length === 0) return;
  const shownIn = rows.flatMap(({ request }) => request.quarantinedIn?.id ?? []);
  const known = await stores.receipts.findQuarantined(tx, [...new Set(shownIn)]);
  for (const { entry, request } of rows) {
    if (request.quarantinedIn === null) continue;
    const key = `${request.quarantinedIn.id} ${entry.raw}`;
    if (known.has(key)) continue;
    known.add(key);
    follow.timeline.push({
      ...about(request.quarantinedIn, nowMs),
      kind: 'quarantined',
      text: `Entry ${entry.index + 1} of a webhook could not be read: ${entry.reason}`,
      actor: request.input.source,
    });
  }
  await stores.receipts.insertQuarantined(
    tx,
    rows.map(({ entry, request, receiptId }) => ({
      receiptId,
      incidentId: request.quarantinedIn?.id ?? null,
      position: entry.index,
      reason: entry.reason,
      raw: entry.raw,
    })),
  );
}
