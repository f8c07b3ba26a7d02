/** What is needed to store a plan, and what is gathered on the way. */

import type { NewNotification } from '../domain/notification.js';
import type { NewTimelineEntry } from '../domain/timeline.js';
import { createAlertStore } from '../store/alert-store.js';
import { createIncidentStore } from '../store/incident-store.js';
import { createNotificationStore, type NotificationStore } from '../store/notification-store.js';
import { createReceiptStore, type ReceiptStore } from '../store/receipt-store.js';
import { createStormStore, type StormStore } from '../store/storm-store.js';
import { createTimelineStore, type TimelineStore } from '../store/timeline-store.js';
import { createWorkStore, type NewWork, type WorkStore } from '../store/work-store.js';
import type { IntakeDeps } from './intake-types.js';
import type { PlanStores } from './load-plan-state.js';

export type WriteStores = PlanStores & {
  readonly receipts: ReceiptStore;
  readonly timeline: TimelineStore;
  readonly work: WorkStore;
  readonly notifications: NotificationStore;
  readonly storms: StormStore;
};

export function createWriteStores(): WriteStores {
  return {
    alerts: createAlertStore(),
    incidents: createIncidentStore(),
    receipts: createReceiptStore(),
    timeline: createTimelineStore(),
    work: createWorkStore(),
    notifications: createNotificationStore(),
    storms: createStormStore(),
  };
}

export type WriteOptions = Pick<IntakeDeps, 'route' | 'resolveHoldMs' | 'flapping' | 'storm'> & {
  readonly nowMs: number;
  readonly pageDeadlineMs: number;
};

/** Rows gathered while the plan is written, stored together at its end. */
export type FollowUps = {
  readonly timeline: NewTimelineEntry[];
  readonly work: NewWork[];
  readonly notifications: NewNotification[];
};
