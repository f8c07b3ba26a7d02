/** Intake and timers over a real database in memory; an obedient outbox sends whatever is due. */

import { onTestFinished } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import { createTimers, type TimerOptions } from '../../src/incidents/create-timers.js';
import { createEscalations, type EscalationDeps } from '../../src/incidents/escalations.js';
import { createHeartbeats } from '../../src/incidents/heartbeats.js';
import type { IntakeDeps } from '../../src/incidents/receive-group.js';
import type { PlaybookEntry } from '../../src/playbook/schema.js';
import { createHeartbeatStore } from '../../src/store/heartbeat-store.js';
import { createNotificationStore } from '../../src/store/notification-store.js';
import { createReconcileStore } from '../../src/store/reconcile-store.js';
import { createTimelineStore } from '../../src/store/timeline-store.js';
import { createTimerStore } from '../../src/store/timer-store.js';
import { createIntakeHarness, type IntakeHarness, silentLogger } from './intake-harness.js';

export type TimerHarness = IntakeHarness & {
  /** Advances in steps of 10 s and delivers what is due after each. */
  readonly pass: (ms: number) => Promise<void>;
  /** `kind key state: reason` of every timer, oldest first. */
  readonly timers: () => Promise<string[]>;
  /** `purpose receiver` of every reminder, escalation and later page, oldest first. */
  readonly sent: () => Promise<string[]>;
  /** As when an incident was diagnosed. */
  readonly planEscalations: (incidentId?: number) => Promise<void>;
  /** Another process on the same database: the timers as after a restart. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

const RECEIVERS = [
  { name: 'pager', kind: 'pagerduty' },
  { name: 'slack', kind: 'slack' },
] as const;

/** An entry that serves every alert and does nothing but escalate. */
export function anEntry(escalation: PlaybookEntry['escalation'], id = 'entry'): PlaybookEntry {
  const nothing = { match: [], symptoms: [], steps: [], causes: [], unclear: null };
  return { id, file: `${id}.yaml`, isDefault: true, title: 'Entry', ...nothing, escalation };
}

export async function createTimerHarness(
  options: {
    readonly intake?: Partial<IntakeDeps>;
    readonly timers?: Partial<TimerOptions>;
    readonly watchdogIntervalMs?: number;
    readonly escalations?: Partial<EscalationDeps>;
  } = {},
): Promise<TimerHarness> {
  const heartbeats = createHeartbeats({
    stores: { heartbeats: createHeartbeatStore(), timers: createTimerStore() },
    isHeartbeat: ({ labels }) => labels.alertname === 'Watchdog',
    intervalMs: options.watchdogIntervalMs ?? null,
    scopeLabels: ['cluster', 'namespace', 'model'],
  });
  const h = createIntakeHarness({ heartbeats, ...options.intake });
  const escalations = createEscalations({
    db: h.db,
    stores: {
      notifications: createNotificationStore(),
      timeline: createTimelineStore(),
      timers: createTimerStore(),
      reconcile: createReconcileStore(),
    },
    receivers: options.timers?.receivers ?? RECEIVERS,
    targets: {},
    entryFor: () => anEntry([]),
    recheck: () => Promise.reject(new Error('nothing is to be checked again')),
    ...options.escalations,
  });
  const create = () =>
    createTimers({
      db: h.db,
      clock: h.clock,
      logger: silentLogger,
      receivers: RECEIVERS,
      delays: { criticalMs: 15 * MINUTE, warningMs: 60 * MINUTE },
      escalations,
      watchdog: {
        heartbeats,
        receiveWithin: h.intake.receiveWithin,
        scopeLabels: ['cluster', 'namespace', 'model'],
      },
      onDue: () => {},
      ...options.timers,
    });
  let loop = create();
  await loop.start();
  onTestFinished(() => loop.stop());

  return {
    ...h,
    async pass(ms) {
      for (let left = ms; left > 0; left -= 10 * SECOND) {
        await h.clock.advance(Math.min(left, 10 * SECOND));
        await h.deliverDue();
      }
    },
    planEscalations: (incidentId = 1) =>
      h.db.transaction((tx) => escalations.plan(tx, incidentId, h.clock.now())),
    async timers() {
      const rows = await h.db.kysely.selectFrom('timers').selectAll().orderBy('id').execute();
      return rows.map(
        ({ kind, key, state, reason }) => `${kind} ${key} ${state}${reason === null ? '' : `: ${reason}`}`,
      );
    },
    async sent() {
      const rows = await h.db.kysely
        .selectFrom('notifications')
        .select(['purpose', 'receiver'])
        .where('state', '=', 'sent')
        .orderBy('id')
        .execute();
      return rows.map((row) => `${row.purpose} ${row.receiver}`);
    },
    async restart() {
      await loop.stop();
      loop = create();
      await loop.start();
    },
    stop: () => loop.stop(),
  };
}
