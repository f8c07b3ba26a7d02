/** What the outbox needs, in the shapes it uses. */

import type { Clock } from '../domain/clock.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { Purpose } from '../domain/notification.js';
import type { Logger } from '../log/logger.js';
import type { Receiver } from '../receivers/receiver.js';
import type { RunningWindow } from '../routing/maintenance.js';
import type { AccountStore } from '../store/account-store.js';
import type { Database, Tx } from '../store/database.js';
import type { NotificationStore } from '../store/notification-store.js';
import type { TimelineStore } from '../store/timeline-store.js';
import type { PageGate } from './page-ceiling.js';

export type OutboxStores = {
  readonly notifications: Pick<
    NotificationStore,
    | 'enqueue'
    | 'claimDue'
    | 'finish'
    | 'retry'
    | 'postpone'
    | 'makeBare'
    | 'releaseLeases'
    | 'retryNow'
    | 'nextDueMs'
    | 'duePages'
    | 'dueClimbs'
    | 'nextClimbMs'
    | 'markClimbed'
    | 'notificationsOf'
    | 'readCard'
    | 'saveCard'
    | 'markResolveAttempted'
    | 'settleCarried'
  >;
  readonly accounts: AccountStore;
  readonly timeline: Pick<TimelineStore, 'append' | 'read'>;
};

/** One finished attempt, for metrics. Label values are bounded: names come from the configuration. */
export type DeliveryObservation = {
  readonly receiver: string;
  readonly purpose: Purpose;
  readonly outcome:
    | 'sent'
    | 'retry'
    | 'rejected'
    | 'fault'
    | 'dead'
    | 'dropped'
    | 'unchanged'
    | 'shadowed'
    | 'withheld';
  /** A `DeliveryReason`, or null. */
  readonly reason: string | null;
  /** From the row's creation to now, ms of wall time. */
  readonly ageMs: number;
};

export type OutboxMetrics = {
  readonly observe: (observation: DeliveryObservation) => void;
  /** A page went to the next rung of this receiver's ladder. */
  readonly climbed?: (receiver: string) => void;
};

export type OutboxDeps = {
  readonly db: Database;
  readonly stores: OutboxStores;
  readonly receivers: ReadonlyMap<string, Receiver>;
  readonly readView: (incidentId: number) => Promise<IncidentView | null>;
  readonly clock: Clock;
  /** 0 ≤ x < 1, for jitter. */
  readonly random: () => number;
  readonly logger: Logger;
  /** Whether a page may go now by itself; every one may when absent. */
  readonly pageGate?: PageGate;
  /** Cards of storms and of what flaps are updated no more often; once a minute when absent. */
  readonly slowCardMs?: number;
  /** The maintenance window in which nobody is to be told of an incident; null when none runs. */
  readonly maintenanceOf?: (view: IncidentView, nowMs: number) => RunningWindow | null;
  /** How long a claim holds without news; 30 s when absent. Must exceed the longest delivery. */
  readonly leaseMs?: number;
  /** Deliveries at once per account; 4 when absent. */
  readonly concurrency?: number;
  /** Part of the transaction that makes the outbox ready, before anything is claimed. */
  readonly atStart?: (tx: Tx, nowMs: number) => Promise<void>;
  /** Called every second while nothing can be claimed for want of the database. Must not throw. */
  readonly onStuck?: () => void;
  readonly metrics?: OutboxMetrics;
};
