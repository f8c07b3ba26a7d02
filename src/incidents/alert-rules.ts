/** The small rules by which intake tells news from repeats, copies and leftovers. Pure. */

import type { Alert } from '../domain/alert.js';
import { canonicalLabels } from '../domain/labels.js';
import { compareSeverity } from '../domain/severity.js';
import type { PlannedAlert } from './intake-types.js';

/** Firing first, most severe first, so that the one that leads is the most severe; equal alerts once. */
export function inOrder(alerts: readonly Alert[]): Alert[] {
  const byKey = new Map<string, Alert>();
  for (const alert of alerts) {
    const other = byKey.get(alert.alertKey);
    // The same alert with both statuses in one body is a sender's fault; what fires must not be missed.
    if (other === undefined || other.status === 'resolved') byKey.set(alert.alertKey, alert);
  }
  return [...byKey.values()].sort((a, b) => {
    if (a.status !== b.status) return a.status === 'firing' ? -1 : 1;
    return compareSeverity(b.severity, a.severity);
  });
}

export function newestResolved(known: readonly PlannedAlert[]): PlannedAlert | null {
  let newest: PlannedAlert | null = null;
  for (const one of known) {
    if (newest === null || (one.incident.resolvedAtMs ?? 0) > (newest.incident.resolvedAtMs ?? 0))
      newest = one;
  }
  return newest;
}

export function isNewerThan(alert: Alert, resolvedAtMs: number | null): boolean {
  return alert.startsAtMs !== null && resolvedAtMs !== null && alert.startsAtMs > resolvedAtMs;
}

/** The resolve of an earlier firing period, delivered late: what fires now began after it. */
export function isStaleResolve(known: PlannedAlert, alert: Alert): boolean {
  const { startsAtMs, endsAtMs } = alert;
  if (startsAtMs === null || endsAtMs === null || known.startsAtMs === null) return false;
  return startsAtMs < known.startsAtMs && endsAtMs <= known.startsAtMs;
}

export function placeKey(source: string, alert: Pick<Alert, 'name' | 'scope'>): string {
  return `${source}\0${alert.name}\0${canonicalLabels(alert.scope)}`;
}

/**
 * A copy that another peer sent before it heard of the resolve says that the alert began before it ended.
 * Believed for `withinMs` after the resolve: later, a sender that was cut off is more likely than a slow one.
 */
export function isLateCopy(known: PlannedAlert, alert: Alert, nowMs: number, withinMs: number): boolean {
  if (alert.startsAtMs === null) return false;
  // An end in the future is a wrong clock; what counts then is when the resolve arrived.
  const endedAtMs = Math.min(known.endsAtMs ?? known.lastSeenAtMs, known.lastSeenAtMs);
  return alert.startsAtMs <= endedAtMs && nowMs - known.lastSeenAtMs <= withinMs;
}
