/**
 * Compares our incidents with what Alertmanager holds: its webhook tells nothing of silenced and inhibited alerts,
 * and a resolve or an alert may have been lost on the way. What it cannot be asked changes nothing. What was found
 * takes the way of every webhook call.
 */

import type { PeersReading } from '../alertmanager/read-peers.js';
import type { Alert, AlertGroup } from '../domain/alert.js';
import type { Incident } from '../domain/incident.js';
import { labelsFrom } from '../domain/labels.js';
import type { Logger } from '../log/logger.js';
import type { AlertStore } from '../store/alert-store.js';
import type { Database, Tx } from '../store/database.js';
import { createFindUndelivered } from './find-undelivered.js';
import type { IntakeDeps, IntakeInput, ReceiveOutcome } from './intake-types.js';
import { type PageAnewStores, pageAnew, tellTold } from './page-anew.js';
import {
  EXPIRES_AFTER_MS,
  type GoneAlert,
  type IncidentTurn,
  planReconcile,
  type ReconcileMemory,
} from './plan-reconcile.js';

export type ReconcileDeps = Pick<IntakeDeps, 'route'> & {
  readonly db: Database;
  readonly stores: PageAnewStores & { readonly alerts: Pick<AlertStore, 'findKnownAlerts'> };
  readonly read: () => Promise<PeersReading>;
  readonly receive: (input: IntakeInput) => Promise<ReceiveOutcome>;
  /** The source under which its alerts arrive. */
  readonly source: string;
  /** What it calls us. */
  readonly receiver: string;
  readonly pageDeadlineMs: number;
  /** Alerts whose absence is to be noticed, not made good. */
  readonly isHeartbeat?: (alert: Alert) => boolean;
  /** How long after its delivery an alert expires whose expiry was never seen; 5 min when absent. */
  readonly expiresAfterMs?: number;
  /** Wall time, ms since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
  /** Called when notifications or work may be due. */
  readonly onDue: () => void;
};

/** What one comparison came to. */
export type Reconciled = {
  readonly outcome: 'complete' | 'partial' | 'unreachable';
  /** Why it is not the whole truth. */
  readonly faults: readonly string[];
  /** Alerts that were closed, and that were taken in. */
  readonly gone: number;
  readonly found: number;
};

export type Reconcile = {
  /** Compares once. Rejects only when the database does. */
  readonly run: () => Promise<Reconciled>;
  /** The next comparison completes a delivered group that was cut off. */
  readonly noteTruncated: (group: AlertGroup) => void;
};

const GONE_NOTE =
  'Found by reconciling: gone from Alertmanager in two complete reads, and its resolve never arrived';

export function createReconcile(deps: ReconcileDeps): Reconcile {
  const { stores } = deps;
  const undelivered = createFindUndelivered(deps.receiver, stores.alerts, deps.isHeartbeat);
  let memory: ReconcileMemory = { absentReads: new Map(), expiries: new Map(), readAtMs: null };

  async function run(): Promise<Reconciled> {
    const reading = await deps.read();
    if (reading.kind === 'unreachable') {
      return { outcome: 'unreachable', faults: reading.faults, gone: 0, found: 0 };
    }
    const { ours, gone } = await deps.db.transaction((tx) => compare(tx, reading));
    const resolved = await asResolved(gone);
    if (resolved.length > 0) await take(resolved, GONE_NOTE);
    const found = await undelivered.find(deps.db.kysely, reading.alerts, new Set(ours), deps.now());
    for (const { alerts, note } of found) await take(alerts, note);
    deps.onDue();
    return {
      outcome: reading.complete ? 'complete' : 'partial',
      faults: [...reading.faults, ...receiverFault(reading, ours)],
      gone: resolved.length,
      found: found.reduce((sum, { alerts }) => sum + alerts.length, 0),
    };
  }

  async function compare(
    tx: Tx,
    reading: Extract<PeersReading, { kind: 'read' }>,
  ): Promise<{ readonly ours: string[]; readonly gone: readonly GoneAlert[] }> {
    const nowMs = deps.now();
    const expiresAfterMs = deps.expiresAfterMs ?? EXPIRES_AFTER_MS;
    const ours = await stores.reconcile.firingAlerts(tx, deps.source);
    const ids = [...new Set(ours.map((alert) => alert.incidentId))];
    const incidents = new Map(
      (await stores.incidents.findIncidents(tx, ids)).map((one) => [one.id, one] as const),
    );
    const plan = planReconcile({ ours, incidents, reading, memory, expiresAfterMs, nowMs });
    memory = plan.memory;
    await stores.reconcile.saveUpstream(tx, plan.upstream);
    for (const turn of plan.turns) {
      const incident = incidents.get(turn.incidentId);
      if (incident !== undefined) await apply(tx, incident, turn, nowMs);
    }
    return { ours: ours.map((alert) => alert.alertKey), gone: plan.gone };
  }

  async function apply(tx: Tx, incident: Incident, turn: IncidentTurn, nowMs: number): Promise<void> {
    const { silence, entries, page } = turn;
    await stores.incidents.changeIncident(tx, incident.id, silence === undefined ? {} : { silence });
    await stores.timeline.append(
      tx,
      entries.map((entry) => ({ ...entry, incidentId: incident.id, atMs: nowMs, actor: deps.source })),
    );
    if (page !== null && !(page.ifUnpaged && (await wasPaged(tx, incident)))) {
      const { route, pageDeadlineMs } = deps;
      await pageAnew(tx, stores, incident, { because: page.because, route, pageDeadlineMs, nowMs });
    } else {
      await tellTold(tx, stores, incident, silence === undefined ? 'changed' : 'silenced', nowMs);
    }
  }

  async function wasPaged(tx: Tx, incident: Incident): Promise<boolean> {
    const history = await stores.notifications.notificationsOf(tx, incident.id);
    return history.some(
      ({ purpose, episodeId, state }) =>
        purpose === 'page' && episodeId === incident.episodeId && state !== 'dropped' && state !== 'dead',
    );
  }

  /** Alerts that are over, as far as we know them. */
  async function asResolved(gone: readonly GoneAlert[]): Promise<Alert[]> {
    const ids = gone.map(({ id }) => id);
    const stored = await stores.reconcile.readAlerts(deps.db.kysely, ids);
    return gone.flatMap(({ id, endedAtMs }): Alert[] => {
      const alert = stored.get(id);
      if (alert === undefined) return [];
      const { alertKey, name, labels, severity, startsAtMs } = alert;
      const nothing = labelsFrom([]);
      return [
        {
          ...{ alertKey, name, labels, severity, startsAtMs },
          ...{ status: 'resolved', endsAtMs: endedAtMs },
          // A resolved alert brings nothing else; what is stored of it is kept.
          ...{ fingerprint: null, annotations: nothing, severityNote: null, scope: nothing },
          ...{ generatorUrl: null, expression: null },
        },
      ];
    });
  }

  async function take(alerts: readonly Alert[], note: string): Promise<void> {
    const { source, receiver } = deps;
    const rest = { groupKey: 'reconciled', groupLabels: {}, externalUrl: null, truncatedAlerts: 0 };
    const group: AlertGroup = { ...rest, source, receiver, alerts, quarantined: [] };
    const body = Buffer.from(JSON.stringify({ reconciled: note, alerts }));
    await deps.receive({ source, body, note, parsed: { kind: 'group', group } });
    deps.logger.warn({ alerts: alerts.length, note }, 'Alertmanager and we did not agree');
  }

  /** Under a wrong name nothing that was lost could ever be found. */
  function receiverFault(
    reading: Extract<PeersReading, { kind: 'read' }>,
    ours: readonly string[],
  ): string[] {
    const delivered = ours.flatMap((key) => reading.alerts.get(key) ?? []);
    if (delivered.length === 0 || delivered.some((held) => held.receivers.includes(deps.receiver))) return [];
    const names = [...new Set(delivered.flatMap((held) => held.receivers))].slice(0, 5).join(', ');
    return [
      `Alertmanager delivers to us as ${names}, not as "${deps.receiver}": set alertmanager.receiver, or lost alerts cannot be found`,
    ];
  }

  return {
    run,
    noteTruncated(group) {
      if (group.source === deps.source && group.truncatedAlerts > 0) undelivered.noteTruncated(group);
    },
  };
}
