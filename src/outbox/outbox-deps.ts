/** What the outbox needs, in the shapes it uses. The notification store provides most of it. */

import type { Clock } from '../domain/clock.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { CardRef, NewNotification, Notification, Purpose } from '../domain/notification.js';
import type { NewTimelineEntry } from '../domain/timeline.js';
import type { Logger } from '../log/logger.js';
import type { Receiver } from '../receivers/receiver.js';
import type { Database, Tx } from '../store/database.js';

type Claim = { readonly id: number; readonly fence: number };

export type OutboxStores = {
  readonly notifications: {
    readonly enqueue: (tx: Tx, notifications: readonly NewNotification[]) => Promise<void>;
    /** Pages first. `exceptReceivers` leaves out those that are busy; a store that ignores it is correct, only less fair. */
    readonly claimDue: (
      tx: Tx,
      options: {
        readonly nowMs: number;
        readonly leaseMs: number;
        readonly limit: number;
        readonly exceptReceivers?: readonly string[];
      },
    ) => Promise<Notification[]>;
    readonly finish: (
      tx: Tx,
      result: Claim & {
        readonly state: 'sent' | 'dead' | 'dropped';
        readonly reason: string | null;
        readonly ref: string | null;
        readonly nowMs: number;
      },
    ) => Promise<boolean>;
    readonly retry: (
      tx: Tx,
      result: Claim & { readonly dueAtMs: number; readonly reason: string },
    ) => Promise<boolean>;
    readonly releaseLeases: (tx: Tx, options: { readonly nowMs: number }) => Promise<void>;
    readonly nextDueMs: (tx: Tx) => Promise<number | null>;
    readonly notificationsOf: (tx: Tx, incidentId: number) => Promise<Notification[]>;
    readonly readCard: (
      tx: Tx,
      key: { readonly incidentId: number; readonly receiver: string },
    ) => Promise<CardRef | null>;
    readonly saveCard: (
      tx: Tx,
      saved: {
        readonly incidentId: number;
        readonly receiver: string;
        readonly card: CardRef;
        readonly nowMs: number;
      },
    ) => Promise<void>;
    readonly markResolveAttempted: (tx: Tx, episodeId: number, nowMs: number) => Promise<void>;
  };
  readonly timeline: { readonly append: (tx: Tx, entries: readonly NewTimelineEntry[]) => Promise<void> };
};

/** One finished attempt, for metrics. Label values are bounded: names come from the configuration. */
export type DeliveryObservation = {
  readonly receiver: string;
  readonly purpose: Purpose;
  readonly outcome: 'sent' | 'retry' | 'dead' | 'dropped' | 'unchanged';
  /** A `DeliveryReason`, or null. */
  readonly reason: string | null;
  /** From the row's creation to now, ms of wall time. */
  readonly ageMs: number;
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
  /** How long a claim holds without news; 30 s when absent. Must exceed the longest delivery. */
  readonly leaseMs?: number;
  /** Deliveries at once per receiver; 4 when absent. */
  readonly concurrency?: number;
  readonly metrics?: { readonly observe: (observation: DeliveryObservation) => void };
};
