/** The call that opened an incident, as it arrived, to be kept with its recording. */

import { parseWebhook } from '../alertmanager/payload.js';
import type { Incident } from '../domain/incident.js';
import type { Severity } from '../domain/severity.js';
import { createReceiptStore } from '../store/receipt-store.js';
import type { Tx } from '../store/tables.js';

export type OpeningWebhook = { readonly body: string | null; readonly note: string | null };

/** A storm's calls are large, and each of its incidents would keep one. */
const MAX_BYTES = 256 * 1024;
/** Calls of one commit that are looked through. */
const MAX_CALLS = 50;

const receipts = createReceiptStore();

export async function readOpeningWebhook(
  tx: Tx,
  incident: Incident,
  reading: {
    readonly scopeLabels: readonly string[];
    readonly severityMapping: Readonly<Record<string, Severity>>;
  },
): Promise<OpeningWebhook> {
  const bodies = await receipts.receivedAt(tx, incident.source, incident.openedAtMs, MAX_CALLS);
  const opening = bodies.find((body) => {
    const parsed = parseWebhook(body, { ...reading, source: incident.source });
    return parsed.kind === 'group' && parsed.group.alerts.some((one) => one.alertKey === incident.alertKey);
  });
  if (opening === undefined) return { body: null, note: 'no call of that moment holds its alert' };
  if (opening.length > MAX_BYTES) {
    return { body: null, note: `${opening.length} bytes, more than the ${MAX_BYTES} that are kept` };
  }
  return { body: new TextDecoder().decode(opening), note: null };
}
