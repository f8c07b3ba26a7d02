/** Puts together everything that is due later about incidents: what plans it, what fires it, what moves it with the clock. */

import type { Clock } from '../domain/clock.js';
import type { Logger } from '../log/logger.js';
import type { LadderReceiver } from '../routing/ladder.js';
import type { Database } from '../store/database.js';
import { createHeartbeatStore } from '../store/heartbeat-store.js';
import { createNotificationStore } from '../store/notification-store.js';
import type { ReminderDelays } from '../store/reminder-plan.js';
import { createTimelineStore } from '../store/timeline-store.js';
import { createTimerStore } from '../store/timer-store.js';
import { createWorkStore } from '../store/work-store.js';
import type { Escalations } from './escalations.js';
import type { Heartbeats } from './heartbeats.js';
import { createReminders } from './reminders.js';
import { createTimerLoop, type TimerLoop, type TimerMetrics } from './timer-loop.js';
import { createWatchdog, type WatchdogDeps } from './watchdog.js';

export type TimerOptions = {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly receivers: readonly LadderReceiver[];
  readonly delays: ReminderDelays;
  readonly escalations: Escalations;
  readonly watchdog: Pick<WatchdogDeps, 'receiveWithin' | 'scopeLabels'> & {
    readonly heartbeats: Heartbeats;
  };
  /** Called when notifications or work were stored. */
  readonly onDue: () => void;
  readonly metrics?: TimerMetrics;
};

export function createTimers(options: TimerOptions): TimerLoop {
  const { db, clock, logger, receivers, delays, onDue } = options;
  const timers = createTimerStore();
  const work = createWorkStore();
  const heartbeats = createHeartbeatStore();
  const stores = { notifications: createNotificationStore(), timeline: createTimelineStore(), timers };
  return createTimerLoop({
    db,
    timers,
    handlers: {
      ...createReminders({ stores, receivers, delays }),
      escalation: options.escalations.fire,
      watchdog: createWatchdog({ ...options.watchdog, stores: { heartbeats } }),
    },
    onStart: (tx, nowMs) => options.watchdog.heartbeats.grace(tx, nowMs),
    async plan(tx, nowMs) {
      await timers.planReminders(tx, nowMs, delays);
      await timers.returnReminders(tx, nowMs, delays);
    },
    async onStep(tx, step) {
      await work.moveWork(tx, step);
      await heartbeats.moveHeartbeats(tx, step);
    },
    onDue,
    clock,
    logger,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
  });
}
