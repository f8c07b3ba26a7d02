/**
 * Reads one entry of `alerts[]`. Written by hand rather than as a schema for two reasons: a schema's record
 * drops a label called `__proto__`, and every optional field is forgiven on its own here. Only what makes an
 * alert an alert is required: labels that are text, and a status.
 */

import type { Alert } from '../domain/alert.js';
import { type Labels, labelsFrom, labelValue } from '../domain/labels.js';
import { scopeOf } from '../domain/scope.js';
import { readSeverity, type Severity } from '../domain/severity.js';
import { alertKey } from './alert-key.js';
import { readTime } from './read-time.js';

export type ReadOptions = {
  /** Name of the sender, part of every identity. */
  readonly source: string;
  readonly scopeLabels: readonly string[];
  /** Lower-case words of the operator's own for severities. */
  readonly severityMapping: Readonly<Record<string, Severity>>;
};

export type ReadAlert =
  | { readonly kind: 'alert'; readonly alert: Alert }
  | { readonly kind: 'bad'; readonly reason: string };

const NO_NAME = '(no alertname)';

/** Reads one entry, or says why it cannot be read. Never throws. */
export function readAlert(value: unknown, options: ReadOptions): ReadAlert {
  if (!isObject(value)) return bad(`expected an object, found ${nameOf(value)}`);
  const status = readStatus(value.status);
  if (status === null) {
    return bad(`status: expected "firing" or "resolved", found ${show(value.status)}`);
  }
  if (!isObject(value.labels)) return bad(`labels: expected an object, found ${nameOf(value.labels)}`);
  const labels = readLabels(value.labels);
  if (typeof labels === 'string') return bad(labels);

  const { severity, note } = readSeverity(labelValue(labels, 'severity'), options.severityMapping);
  const generatorUrl = text(value.generatorURL);
  const alertname = labelValue(labels, 'alertname')?.trim();
  return {
    kind: 'alert',
    alert: {
      alertKey: alertKey(options.source, labels),
      fingerprint: text(value.fingerprint),
      name: alertname === undefined || alertname === '' ? NO_NAME : alertname,
      status,
      labels,
      annotations: isObject(value.annotations) ? readTexts(value.annotations) : labelsFrom([]),
      severity,
      severityNote: note,
      scope: scopeOf(labels, options.scopeLabels),
      startsAtMs: readTime(value.startsAt),
      // A firing alert carries the zero time, or from other senders its expiry: neither is an end.
      endsAtMs: status === 'resolved' ? readTime(value.endsAt) : null,
      generatorUrl,
      expression: generatorUrl === null ? null : expressionOf(generatorUrl),
    },
  };
}

/**
 * The PromQL of a rule's link: Prometheus writes `/graph?g0.expr=<expression>&g0.tab=1`. Null where a link
 * carries none (Grafana, vmalert). Never throws.
 */
export function expressionOf(generatorUrl: string): string | null {
  if (!generatorUrl.includes('g0.expr=')) return null;
  const match = /[?&]g0\.expr=([^&#]*)/.exec(generatorUrl);
  if (match?.[1] === undefined || match[1] === '') return null;
  try {
    return decodeURIComponent(match[1].replaceAll('+', ' '));
  } catch {
    // A broken escape: the link is shown as it is, the expression is unknown.
    return null;
  }
}

function readStatus(value: unknown): 'firing' | 'resolved' | null {
  if (value === 'firing' || value === 'resolved') return value;
  if (typeof value !== 'string') return null;
  const word = value.trim().toLowerCase();
  return word === 'firing' || word === 'resolved' ? word : null;
}

/** Labels are identity, so what is not plainly text or a number makes the alert unreadable. */
function readLabels(object: Record<string, unknown>): Labels | string {
  const entries: [string, string][] = [];
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (typeof value === 'string') entries.push([name, value]);
    else if (typeof value === 'number' || typeof value === 'boolean') entries.push([name, String(value)]);
    else if (value !== null) return `labels.${name.slice(0, 100)}: expected text, found ${nameOf(value)}`;
  }
  return labelsFrom(entries);
}

/** Names and texts for readers, such as annotations: what is not text is shown as JSON. */
export function readTexts(object: Record<string, unknown>): Labels {
  const entries: [string, string][] = [];
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (value !== null) entries.push([name, typeof value === 'string' ? value : show(value)]);
  }
  return labelsFrom(entries);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** A value as JSON, bounded; says so where it cannot be written (nested too deep for the writer). */
export function show(value: unknown, maxChars = 200): string {
  try {
    return (JSON.stringify(value) ?? 'nothing').slice(0, maxChars);
  } catch {
    return '(nested too deep to show)';
  }
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function bad(reason: string): ReadAlert {
  return { kind: 'bad', reason };
}
