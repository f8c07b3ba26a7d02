/**
 * Reads a webhook body of Alertmanager 0.13–0.34, Mimir, or Grafana (version "1"). Only `alerts[]` is needed;
 * unknown fields, other versions and missing ones are fine. Works on the raw bytes, whatever content type they came with.
 *
 * Source: `template/template.go` Data in prometheus/alertmanager, `receivers/webhook` in grafana/alerting.
 */

import type { Alert, AlertGroup, QuarantinedAlert } from '../domain/alert.js';
import { labelsFrom } from '../domain/labels.js';
import { isNestedDeeper } from './json-depth.js';
import { isObject, type ReadOptions, readAlert, readTexts, show, text } from './read-alert.js';

export type ParsedWebhook =
  | { readonly kind: 'group'; readonly group: AlertGroup }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** A smaller body cannot nest deep enough to hurt, so it is not scanned. */
const SCAN_FROM_BYTES = 256 * 1024;

/** Parsing this deep takes some 20 MB. Nothing here walks deeper than an alert's labels. */
const MAX_DEPTH = 250_000;

/** Longest text kept of an entry that cannot be read; the receipt has all of it. */
const MAX_RAW_CHARS = 16_384;

/** Reads a body. A bad entry of `alerts[]` is set aside for itself. Never throws. */
export function parseWebhook(body: Uint8Array, options: ReadOptions): ParsedWebhook {
  if (body.length === 0) return unreadable('the body is empty');
  if (body.length >= SCAN_FROM_BYTES && isNestedDeeper(body, MAX_DEPTH)) {
    return unreadable(`the body nests deeper than ${MAX_DEPTH} levels`);
  }
  let document: unknown;
  try {
    // Bytes that are no UTF-8 become U+FFFD, a byte order mark is dropped: the rest can still be read.
    document = JSON.parse(new TextDecoder().decode(body));
  } catch (error) {
    return unreadable(
      `the body is no JSON: ${error instanceof Error ? error.message.slice(0, 200) : 'not parsed'}`,
    );
  }
  if (!isObject(document)) return unreadable(`expected a JSON object, found ${show(document, 100)}`);
  if (!Array.isArray(document.alerts)) {
    return unreadable(`alerts: expected an array, found ${show(document.alerts, 100)}`);
  }

  const alerts: Alert[] = [];
  const quarantined: QuarantinedAlert[] = [];
  for (const [index, entry] of document.alerts.entries()) {
    const read = readAlert(entry, options);
    if (read.kind === 'alert') alerts.push(read.alert);
    else quarantined.push({ index, reason: read.reason, raw: show(entry, MAX_RAW_CHARS) });
  }
  return {
    kind: 'group',
    group: {
      source: options.source,
      groupKey: text(document.groupKey) ?? '',
      groupLabels: isObject(document.groupLabels) ? readTexts(document.groupLabels) : labelsFrom([]),
      // Alertmanager sends the name quoted as a regular expression: `web\.hook\+ok`.
      receiver: (text(document.receiver) ?? '').replace(/\\(.)/g, '$1'),
      externalUrl: text(document.externalURL),
      truncatedAlerts: readCount(document.truncatedAlerts),
      alerts,
      quarantined,
    },
  };
}

function readCount(value: unknown): number {
  const count = Math.trunc(Number(value ?? 0));
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

function unreadable(reason: string): ParsedWebhook {
  return { kind: 'unreadable', reason };
}
