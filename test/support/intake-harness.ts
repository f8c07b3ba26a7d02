/** Intake over a real database in memory, with a pager, a Slack channel and a log to route to. */

import type { Alert, AlertGroup } from '../../src/domain/alert.js';
import { MINUTE } from '../../src/domain/clock.js';
import type { Verdict } from '../../src/domain/verdict.js';
import { createAfterDiagnosis } from '../../src/incidents/after-diagnosis.js';
import { commitDiagnosis } from '../../src/incidents/commit-diagnosis.js';
import { createIntake, type IntakeDeps, type ReceiveOutcome } from '../../src/incidents/receive-group.js';
import type { Database } from '../../src/store/database.js';
import { createDiagnosisStore } from '../../src/store/diagnosis-store.js';
import { readIncidentView } from '../../src/store/incident-view.js';
import { createNotificationStore } from '../../src/store/notification-store.js';
import { createTimelineStore } from '../../src/store/timeline-store.js';
import type { WorkTrigger } from '../../src/store/work-store.js';
import { aDiagnosis, aGroup, aVerdict } from './build.js';
import { createManualClock, type ManualClock } from './manual-clock.js';
import { openTestDatabase, TEST_NOW_MS } from './test-database.js';

export const silentLogger: IntakeDeps['logger'] = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};

/** KV pressure explains the rest, as the playbooks say. */
const EXPLAINED_BY_KV = ['LLMHighTTFT', 'LLMElevatedTTFT', 'LLMPreemptionStorm', 'LLMQueueBuildup'];

/** So that a test about something else may open many incidents. */
export const NO_STORM: IntakeDeps['storm'] = {
  incidents: 100_000,
  withinMs: 2 * MINUTE,
  quietMs: 10 * MINUTE,
  cardEveryMs: MINUTE,
  pageEveryMs: 15 * MINUTE,
};

export type IntakeHarness = {
  readonly db: Database;
  readonly clock: ManualClock;
  readonly intake: ReturnType<typeof createIntake>;
  readonly receive: (...alerts: Alert[]) => Promise<ReceiveOutcome>;
  readonly receiveGroup: (group: AlertGroup) => Promise<ReceiveOutcome>;
  readonly receiveUnreadable: (reason: string, body?: string) => Promise<ReceiveOutcome>;
  readonly view: (incidentId?: number) => Promise<NonNullable<Awaited<ReturnType<typeof readIncidentView>>>>;
  /** A diagnosis of the incident ended with this verdict. */
  readonly conclude: (incidentId: number, verdict: Partial<Verdict>, trigger?: WorkTrigger) => Promise<void>;
  /** `purpose receiver state +dueInMs` of every notification, oldest first. */
  readonly outbox: () => Promise<string[]>;
  readonly work: () => Promise<string[]>;
  readonly count: (
    table: 'receipts' | 'incidents' | 'episodes' | 'incident_alerts' | 'quarantined_alerts',
  ) => Promise<number>;
  /** `kind: text` of the whole story. */
  readonly story: (incidentId?: number) => Promise<string[]>;
  /** Pretends that the outbox did its part: every due row was accepted. */
  readonly deliverDue: () => Promise<void>;
};

export function createIntakeHarness(overrides: Partial<IntakeDeps> = {}): IntakeHarness {
  const clock = createManualClock({ nowMs: TEST_NOW_MS });
  const db = openTestDatabase(clock);
  const deps: IntakeDeps = {
    db,
    clock,
    explains: (cause, other) => cause === 'LLMKVCachePressure' && EXPLAINED_BY_KV.includes(other),
    route: (severity) =>
      severity === 'critical'
        ? [
            { receiver: 'pager', kind: 'pagerduty' },
            { receiver: 'slack', kind: 'slack' },
          ]
        : severity === 'warning'
          ? [{ receiver: 'slack', kind: 'slack' }]
          : [],
    reopenWindowMs: 30 * MINUTE,
    resolveHoldMs: 5 * MINUTE,
    flapping: { cycles: 3, withinMs: 30 * MINUTE, quietMs: 15 * MINUTE },
    storm: NO_STORM,
    onCommitted: () => {},
    logger: silentLogger,
    ...overrides,
  };
  const intake = createIntake(deps);
  const stores = {
    diagnoses: createDiagnosisStore(),
    notifications: createNotificationStore(),
    timeline: createTimelineStore(),
  };
  const afterDiagnosis = createAfterDiagnosis({
    ...deps,
    scopeLabels: ['cluster', 'namespace', 'model'],
    pageDeadlineMs: deps.pageDeadlineMs ?? 5000,
  });
  const bodyOf = (value: unknown) => Buffer.from(JSON.stringify(value));
  const receiveGroup = (group: AlertGroup) =>
    intake.receive({ source: group.source, body: bodyOf(group), parsed: { kind: 'group', group } });

  return {
    db,
    clock,
    intake,
    receiveGroup,
    receive: (...alerts) => receiveGroup(aGroup(alerts)),
    receiveUnreadable: (reason, body = 'nonsense') =>
      intake.receive({
        source: 'alertmanager',
        body: Buffer.from(body),
        parsed: { kind: 'unreadable', reason },
      }),
    async view(incidentId = 1) {
      const view = await readIncidentView(db.kysely, incidentId);
      if (view === null) throw new Error(`there is no incident ${incidentId}`);
      return view;
    },
    async conclude(incidentId, verdict, trigger = 'opened') {
      const { episode } = await this.view(incidentId);
      const nowMs = clock.now();
      await commitDiagnosis(
        {
          ...stores,
          db,
          clock,
          logger: silentLogger,
          afterDiagnosis,
          readView: () => Promise.resolve(null),
          diagnose: () => Promise.reject(new Error('concluded by the test')),
          freeze: () => Promise.reject(new Error('concluded by the test')),
          onDue: () => {},
        },
        {
          id: 0,
          incidentId,
          episodeId: episode.id,
          trigger,
          attempts: 1,
          fence: 1,
          lastError: null,
          dueAtMs: nowMs,
          createdAtMs: nowMs,
        },
        {
          entryId: 'entry',
          entryIsDefault: false,
          enrichment: aDiagnosis().enrichment,
          findings: [],
          verdict: aVerdict(verdict),
          startedAtMs: nowMs,
          finishedAtMs: nowMs,
        },
      );
    },
    async outbox() {
      const rows = await db.kysely.selectFrom('notifications').selectAll().orderBy('id').execute();
      return rows.map((row) => `${row.purpose} ${row.receiver} ${row.state} +${row.due_at - clock.now()}`);
    },
    async work() {
      const rows = await db.kysely.selectFrom('work').selectAll().orderBy('id').execute();
      return rows.map((row) => `${row.trigger} INC-${row.incident_id} ${row.state}`);
    },
    async count(table) {
      const row = await db.kysely
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow();
      return row.n;
    },
    async story(incidentId = 1) {
      const rows = await db.kysely
        .selectFrom('timeline')
        .selectAll()
        .where('incident_id', '=', incidentId)
        .orderBy('id')
        .execute();
      return rows.map((row) => `${row.kind}: ${row.text}`);
    },
    async deliverDue() {
      await db.kysely
        .updateTable('notifications')
        .set({ state: 'sent', attempts: 1, finished_at: clock.now() })
        .where('state', '=', 'queued')
        .where('due_at', '<=', clock.now())
        .execute();
    },
  };
}
