/**
 * Reads what Alertmanager's API v2 answers (`api/v2/openapi.yaml` in prometheus/alertmanager, 0.25–0.34).
 * Alerts go through the same reader as the webhook's, so that both ways arrive at one identity.
 */

import type { Alert } from '../domain/alert.js';
import type { Matcher } from '../domain/labels.js';
import { isObject, type ReadOptions, readAlert, text } from './read-alert.js';
import { readTime } from './read-time.js';

/** An alert that Alertmanager holds as firing. */
export type HeldAlert = {
  readonly alert: Alert;
  /** When it counts as resolved unless Prometheus sends it again, ms since 1970. */
  readonly expiresAtMs: number | null;
  /** False while it was not yet through the routing of Alertmanager. */
  readonly processed: boolean;
  /** Ids of silences. */
  readonly silencedBy: readonly string[];
  /** Fingerprints of the alerts that inhibit it. */
  readonly inhibitedBy: readonly string[];
  /** Names of mute time intervals (0.28 and newer). */
  readonly mutedBy: readonly string[];
  /** Unquoted receiver names that it is routed to. */
  readonly receivers: readonly string[];
};

export type HeldSilence = {
  readonly id: string;
  readonly createdBy: string;
  readonly comment: string;
  readonly startsAtMs: number | null;
  readonly endsAtMs: number | null;
  readonly state: 'active' | 'pending' | 'expired';
  readonly matchers: readonly Matcher[];
};

export type PeerStatus = {
  /** When the process started, by its own clock, ms since 1970; null when it does not say. */
  readonly startedAtMs: number | null;
  /** True while the cluster still gathers its peers. */
  readonly settling: boolean;
};

/** The alerts, and how many entries could not be read. Null when it is no list at all. */
export function readHeldAlerts(
  value: unknown,
  options: ReadOptions,
): { readonly alerts: HeldAlert[]; readonly unreadable: number } | null {
  if (!Array.isArray(value)) return null;
  const alerts: HeldAlert[] = [];
  let unreadable = 0;
  for (const entry of value) {
    const held = readHeldAlert(entry, options);
    if (held === null) unreadable += 1;
    else alerts.push(held);
  }
  return { alerts, unreadable };
}

function readHeldAlert(entry: unknown, options: ReadOptions): HeldAlert | null {
  if (!isObject(entry)) return null;
  // Everything listed here fires: what has resolved is left out by Alertmanager itself.
  const read = readAlert({ ...entry, status: 'firing' }, options);
  if (read.kind === 'bad') return null;
  const status = isObject(entry.status) ? entry.status : {};
  return {
    alert: read.alert,
    expiresAtMs: readTime(entry.endsAt),
    processed: status.state !== 'unprocessed',
    silencedBy: texts(status.silencedBy),
    inhibitedBy: texts(status.inhibitedBy),
    mutedBy: texts(status.mutedBy),
    receivers: list(entry.receivers).flatMap((one) => (isObject(one) ? (text(one.name) ?? []) : [])),
  };
}

/** The silences that can be read; null when it is no list at all. */
export function readSilences(value: unknown): HeldSilence[] | null {
  if (!Array.isArray(value)) return null;
  return value.flatMap((entry): HeldSilence[] => {
    const id = isObject(entry) ? text(entry.id) : null;
    if (!isObject(entry) || id === null) return [];
    const state = isObject(entry.status) ? entry.status.state : null;
    return [
      {
        id,
        createdBy: text(entry.createdBy) ?? 'somebody',
        comment: text(entry.comment) ?? '',
        startsAtMs: readTime(entry.startsAt),
        endsAtMs: readTime(entry.endsAt),
        state: state === 'active' || state === 'pending' ? state : 'expired',
        matchers: list(entry.matchers).flatMap(readMatcher),
      },
    ];
  });
}

function readMatcher(value: unknown): Matcher[] {
  if (!isObject(value) || typeof value.name !== 'string' || typeof value.value !== 'string') return [];
  const equal = value.isEqual !== false;
  const operator = value.isRegex === true ? (equal ? '=~' : '!~') : equal ? '=' : '!=';
  return [{ name: value.name, operator, value: value.value }];
}

/** Null when it is no status at all. `uptime` is a point in time, whatever its name says. */
export function readStatus(value: unknown): PeerStatus | null {
  if (!isObject(value) || !isObject(value.cluster)) return null;
  return { startedAtMs: readTime(value.uptime), settling: value.cluster.status === 'settling' };
}

/** What an error says: a JSON text, or `{code, message}`; empty when neither. */
export function readErrorText(body: string): string {
  try {
    const value: unknown = JSON.parse(body);
    const said = typeof value === 'string' ? value : isObject(value) ? (text(value.message) ?? '') : '';
    return said.slice(0, 300);
  } catch {
    // An error page of a proxy: its status says enough.
    return '';
  }
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: unknown): string[] {
  return list(value).filter((one) => typeof one === 'string');
}
