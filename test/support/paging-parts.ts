/** Parts of a service that the paging harness runs when a test asks for them. */

import type { PeersReading } from '../../src/alertmanager/read-peers.js';
import { type Clock, SECOND } from '../../src/domain/clock.js';
import { createTimers } from '../../src/incidents/create-timers.js';
import { createEscalations } from '../../src/incidents/escalations.js';
import { createHeartbeats } from '../../src/incidents/heartbeats.js';
import { createPageAnewStores } from '../../src/incidents/page-anew.js';
import type { Intake, IntakeDeps } from '../../src/incidents/receive-group.js';
import { createReconcile } from '../../src/incidents/reconcile.js';
import { createAlertStore } from '../../src/store/alert-store.js';
import type { Database } from '../../src/store/database.js';
import { createHeartbeatStore } from '../../src/store/heartbeat-store.js';
import { createNotificationStore } from '../../src/store/notification-store.js';
import { createReconcileStore } from '../../src/store/reconcile-store.js';
import type { ReminderDelays } from '../../src/store/reminder-plan.js';
import { createTimelineStore } from '../../src/store/timeline-store.js';
import { createTimerStore } from '../../src/store/timer-store.js';
import { silentLogger } from './intake-harness.js';
import { anEntry } from './timer-harness.js';

/** An alert whose resolve was lost is given up this soon. */
export const EXPIRES_AFTER_MS = 4 * SECOND;

type Living = { readonly clock: Clock; readonly db: Database };

/** The loop of reminders; nothing escalates and no heartbeat is expected. */
export function createPagingTimers({ clock, db }: Living, intake: Intake, delays: ReminderDelays) {
  const scopeLabels = ['cluster', 'namespace', 'model'];
  const stores = { heartbeats: createHeartbeatStore(), timers: createTimerStore() };
  const heartbeats = createHeartbeats({ stores, isHeartbeat: () => false, intervalMs: null, scopeLabels });
  return createTimers({
    ...{ db, clock, delays, logger: silentLogger, onDue: () => {} },
    receivers: [
      { name: 'pager', kind: 'pagerduty' },
      { name: 'slack', kind: 'slack' },
    ],
    escalations: createEscalations({
      db,
      stores: {
        notifications: createNotificationStore(),
        timeline: createTimelineStore(),
        timers: stores.timers,
        reconcile: createReconcileStore(),
      },
      receivers: [],
      targets: {},
      entryFor: () => anEntry([]),
      recheck: () => Promise.reject(new Error('nothing is to be checked again')),
    }),
    watchdog: { heartbeats, receiveWithin: intake.receiveWithin, scopeLabels },
  });
}

/** Compares with what `read` says that Alertmanager holds. */
export function createPagingReconcile(
  { clock, db }: Living,
  intake: Intake,
  route: IntakeDeps['route'],
  read: () => PeersReading,
) {
  return createReconcile({
    ...{ db, route, receive: intake.receive, logger: silentLogger },
    stores: { ...createPageAnewStores(), alerts: createAlertStore() },
    read: () => Promise.resolve(read()),
    source: 'alertmanager',
    receiver: 'wakewell',
    pageDeadlineMs: 5 * SECOND,
    expiresAfterMs: EXPIRES_AFTER_MS,
    now: clock.now,
    onDue: () => {},
  });
}
