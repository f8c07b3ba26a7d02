/** Finds what Alertmanager delivers to us and we do not have: lost on the way, or cut off by its `max_alerts`. */

import type { HeldAlert } from '../alertmanager/api-answers.js';
import type { Alert, AlertGroup } from '../domain/alert.js';
import type { Labels } from '../domain/labels.js';
import { momentTime } from '../render/duration.js';
import type { AlertStore, KnownAlert } from '../store/alert-store.js';
import type { Tx } from '../store/database.js';

/** Reads in a row that show an alert before it counts as never delivered: its group may still be waiting. */
const READS_TO_BE_FOUND = 2;

/** Groups that were cut off and wait to be completed; beyond it the next reads find their alerts anyway. */
const MAX_TRUNCATED = 200;

export type Found = { readonly alerts: readonly Alert[]; readonly note: string };

export type FindUndelivered = {
  /** What to take in, with the reason. `ours` are the keys of what fires here. */
  readonly find: (
    tx: Tx,
    held: ReadonlyMap<string, HeldAlert>,
    ours: ReadonlySet<string>,
    nowMs: number,
  ) => Promise<Found[]>;
  /** The next look takes in what this group left out, without waiting for a second one. */
  readonly noteTruncated: (group: Pick<AlertGroup, 'groupKey' | 'groupLabels'>) => void;
};

/** `receiver` is what Alertmanager calls us. */
export function createFindUndelivered(
  receiver: string,
  alertStore: Pick<AlertStore, 'findKnownAlerts'>,
  isHeartbeat: (alert: Alert) => boolean = () => false,
): FindUndelivered {
  let reads = new Map<string, number>();
  const truncated = new Map<string, Labels>();

  return {
    async find(tx, held, ours, nowMs) {
      const candidates = [...held.values()].filter(
        // A Watchdog that does not arrive must be missed, not fetched.
        (one) => !ours.has(one.alert.alertKey) && isDelivered(one, receiver) && !isHeartbeat(one.alert),
      );
      const keys = candidates.map(({ alert }) => alert.alertKey);
      const known = new Map<string, KnownAlert[]>();
      for (const one of await alertStore.findKnownAlerts(tx, keys, 0)) {
        known.set(one.alertKey, [...(known.get(one.alertKey) ?? []), one]);
      }
      const groups = [...truncated.values()];
      truncated.clear();
      const next = new Map<string, number>();
      const cutOff: Alert[] = [];
      const lost: Alert[] = [];
      for (const { alert } of candidates) {
        if (known.get(alert.alertKey)?.some((one) => isSamePeriod(one, alert))) continue;
        const seen = (reads.get(alert.alertKey) ?? 0) + 1;
        if (groups.some((labels) => belongsTo(alert, labels))) cutOff.push(alert);
        else if (seen >= READS_TO_BE_FOUND) lost.push(alert);
        else next.set(alert.alertKey, seen);
      }
      reads = next;
      const found: Found[] = [];
      if (cutOff.length > 0) {
        const note = 'Found by reconciling: left out of a delivery that was cut off (max_alerts)';
        found.push({ alerts: cutOff, note });
      }
      if (lost.length > 0) {
        const since = Math.min(...lost.map((alert) => alert.startsAtMs ?? nowMs));
        const note = `Found by reconciling: fires in Alertmanager since ${momentTime(since, nowMs)} and never arrived`;
        found.push({ alerts: lost, note });
      }
      return found;
    },
    noteTruncated({ groupKey, groupLabels }) {
      if (truncated.size < MAX_TRUNCATED) truncated.set(groupKey, groupLabels);
    },
  };
}

/** Alertmanager sends it to us, or will as soon as its group is due. */
function isDelivered(held: HeldAlert, receiver: string): boolean {
  const heldBack = held.silencedBy.length + held.inhibitedBy.length + held.mutedBy.length;
  return held.processed && heldBack === 0 && held.receivers.includes(receiver);
}

/** A person may have closed what Alertmanager goes on to hold: that is no news. */
function isSamePeriod(known: KnownAlert, alert: Alert): boolean {
  if (known.status === 'resolved') return false;
  if (known.incidentState !== 'resolved') return true;
  return alert.startsAtMs === null || known.startsAtMs === null || alert.startsAtMs <= known.startsAtMs;
}

function belongsTo(alert: Alert, groupLabels: Labels): boolean {
  return Object.entries(groupLabels).every(([name, value]) => (alert.labels[name] ?? '') === value);
}
