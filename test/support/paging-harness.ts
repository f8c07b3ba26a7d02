/**
 * Everything between a webhook and a pager, on time that only the test moves: intake, investigations, upkeep and
 * outbox over one real database, a pager that behaves as PagerDuty does, and a Slack channel that counts.
 */

import { onTestFinished } from 'vitest';
import type { PeersReading } from '../../src/alertmanager/read-peers.js';
import type { Alert } from '../../src/domain/alert.js';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import type { IncidentView } from '../../src/domain/incident-view.js';
import type { DeliveryResult, Purpose } from '../../src/domain/notification.js';
import type { PageCeiling } from '../../src/domain/page-ceiling.js';
import type { Verdict } from '../../src/domain/verdict.js';
import type { ActResult } from '../../src/incidents/act.js';
import { createAfterDiagnosis } from '../../src/incidents/after-diagnosis.js';
import { acknowledge } from '../../src/incidents/change-state.js';
import { createEndStorms } from '../../src/incidents/end-storms.js';
import { createInvestigate } from '../../src/incidents/investigate.js';
import { createKeepUmbrellas } from '../../src/incidents/keep-umbrellas.js';
import { createLeaveFlapping } from '../../src/incidents/leave-flapping.js';
import { createIntake, type IntakeDeps, type ReceiveOutcome } from '../../src/incidents/receive-group.js';
import { createUpkeepLoop } from '../../src/incidents/upkeep.js';
import { createWorkLoop } from '../../src/incidents/work-loop.js';
import { createWriteStores } from '../../src/incidents/write-types.js';
import { createDispatcher } from '../../src/outbox/dispatcher.js';
import { createPageGate } from '../../src/outbox/page-ceiling.js';
import type { Delivery, Receiver } from '../../src/receivers/receiver.js';
import { headline } from '../../src/render/headline.js';
import { createAccountStore } from '../../src/store/account-store.js';
import { type Database, openDatabase } from '../../src/store/database.js';
import { createDiagnosisStore } from '../../src/store/diagnosis-store.js';
import { readIncidentView } from '../../src/store/incident-view.js';
import type { ReminderDelays } from '../../src/store/reminder-plan.js';
import { aDiagnosis, aGroup, aVerdict } from './build.js';
import { silentLogger } from './intake-harness.js';
import { createManualClock, type ManualClock } from './manual-clock.js';
import { createMortalProcess } from './mortal-process.js';
import { createPagingReconcile, createPagingTimers } from './paging-parts.js';
import { TEST_NOW_MS } from './test-database.js';

/** One accepted call to the pager. */
export type PagerCall = {
  /** Since the test began. */
  readonly atMs: number;
  readonly action: 'trigger' | 'acknowledge' | 'resolve';
  readonly dedupKey: string;
  /** It opened an incident at the pager: somebody was woken. */
  readonly woke: boolean;
  readonly view: IncidentView;
};

export type PagingHarness = {
  readonly clock: ManualClock;
  readonly db: Database;
  /** Posts a webhook and lets its commit settle. */
  readonly receive: (...alerts: Alert[]) => Promise<ReceiveOutcome>;
  readonly view: (incidentId: number) => Promise<IncidentView>;
  /** Every accepted call, in order. */
  readonly calls: () => readonly PagerCall[];
  /** Those that woke somebody. */
  readonly wakes: () => readonly PagerCall[];
  /** Dedup keys of what stands open at the pager now. */
  readonly openAtPager: () => readonly string[];
  /** Cards: posts and updates at Slack, by incident. */
  readonly cards: () => readonly {
    readonly atMs: number;
    readonly incidentId: number;
    readonly view: IncidentView;
  }[];
  /** How the pager answers from now on; `sent` is the default. */
  readonly pagerAnswers: (answer: (delivery: Delivery) => PagerAnswer) => void;
  /** The process dies, and another one starts on its database. */
  readonly restart: () => Promise<void>;
};

/** Null: it took the event. `lost`: it did so too, and what came back says something else. */
export type PagerAnswer = DeliveryResult | { readonly lost: DeliveryResult } | null;

/** The same for who plays many sequences in one test and closes each. */
export type PagingWorld = PagingHarness & {
  /** Every call that reached the pager, also those whose answer was a failure. */
  readonly attempts: () => readonly PagerAttempt[];
  /** Episodes that were triggered after their resolve had been asked for. */
  readonly zombies: () => readonly string[];
  readonly acknowledge: (incidentId: number) => Promise<ActResult>;
  /** Asks what Alertmanager holds; needs `upstream`. */
  readonly reconcile: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export type PagerAttempt = Pick<PagerCall, 'atMs' | 'action' | 'dedupKey'> & {
  readonly incidentId: number;
  readonly episodeId: number;
  readonly purpose: Purpose;
  readonly accepted: boolean;
};

export type PagingOptions = Partial<
  Pick<IntakeDeps, 'explains' | 'route' | 'flapping' | 'storm' | 'reopenWindowMs' | 'resolveHoldMs'>
> & {
  /** What the diagnosis of an incident finds; a cause that explains nothing else when absent. */
  readonly verdict?: (view: IncidentView) => Partial<Verdict>;
  readonly ceilings?: readonly PageCeiling[];
  /** How long a diagnosis takes. */
  readonly diagnosisMs?: number;
  /** Runs the timers as well, with these delays. */
  readonly reminders?: ReminderDelays;
  /** What Alertmanager holds when it is asked. */
  readonly upstream?: () => PeersReading;
  /** An empty database of this schema; one in memory when absent. Closed by whoever opened it. */
  readonly db?: Database;
  readonly clock?: ManualClock;
  /** A fault that the test must find: the page counts as sent before it is; its key is made of its text. */
  readonly planted?: 'marked_before_sent' | 'key_of_text';
};

/** Windows and holds are five times shorter here, as a time scale makes them: a simulated hour costs seconds. */
export const TIME_SCALE = 5;
export const M = MINUTE / TIME_SCALE;

export const STORM = {
  incidents: 5,
  withinMs: 2 * M,
  quietMs: 10 * M,
  cardEveryMs: M,
  pageEveryMs: 15 * M,
};

export const CEILINGS = [
  { pages: 3, withinMs: 15 * M },
  { pages: 7, withinMs: 60 * M },
];

const UNEXPLAINED: Partial<Verdict> = { cause: null, confidence: 'none', explains: [] };

/** Closed when the test ends, which fails if an episode was triggered after its resolve. */
export async function createPagingHarness(options: PagingOptions = {}): Promise<PagingHarness> {
  const world = await createPagingWorld(options);
  onTestFinished(async () => {
    await world.close();
    if (world.zombies().length > 0)
      throw new Error(`triggered after its resolve: ${world.zombies().join(', ')}`);
  });
  return world;
}

export async function createPagingWorld(options: PagingOptions = {}): Promise<PagingWorld> {
  const clock = options.clock ?? createManualClock({ nowMs: TEST_NOW_MS });
  const outerDb = options.db ?? openDatabase('file::memory:', { clock });
  const startedAtMs = clock.monotonic();
  const sinceStart = () => clock.monotonic() - startedAtMs;
  const attempts: PagerAttempt[] = [];
  const resolving = new Set<string>();
  const calls: PagerCall[] = [];
  const zombies: string[] = [];
  const cards: { atMs: number; incidentId: number; view: IncidentView }[] = [];
  const standing = new Map<string, 'open' | 'resolved'>();
  let answer: (delivery: Delivery) => PagerAnswer = () => null;

  const pager: Receiver = {
    name: 'pager',
    kind: 'pagerduty',
    async deliver(delivery) {
      const { notification, view } = delivery;
      const { purpose } = notification;
      if (options.planted === 'marked_before_sent' && purpose === 'page')
        return { kind: 'sent', ref: view.episode.dedupKey };
      const dedupKey = options.planted === 'key_of_text' ? headline(view) : view.episode.dedupKey;
      const action =
        purpose === 'page_resolve' ? 'resolve' : purpose === 'page_acknowledge' ? 'acknowledge' : 'trigger';
      if (action === 'trigger' && resolving.has(dedupKey)) zombies.push(`INC-${view.incident.id}`);
      if (action === 'resolve') resolving.add(dedupKey);
      const answered = answer(delivery);
      const isLost = answered !== null && 'lost' in answered;
      const failed = isLost ? answered.lost : answered;
      const accepted = failed === null || isLost;
      const atMs = sinceStart();
      attempts.push({
        ...{ atMs, action, dedupKey, purpose, accepted },
        incidentId: notification.incidentId,
        episodeId: notification.episodeId,
      });
      if (!accepted) return failed;
      const before = standing.get(dedupKey);
      if (action === 'trigger') standing.set(dedupKey, 'open');
      if (action === 'resolve' && before !== undefined) standing.set(dedupKey, 'resolved');
      const woke = action === 'trigger' && before !== 'open';
      calls.push({ atMs, action, dedupKey, woke, view });
      return failed ?? { kind: 'sent', ref: dedupKey };
    },
    deliverBare: () => Promise.reject(new Error('nobody expected a bare page')),
  };
  const slack: Receiver = {
    name: 'slack',
    kind: 'slack',
    async deliver({ notification, view, card }) {
      if (notification.purpose !== 'card') return { kind: 'sent', ref: 'reply' };
      cards.push({ atMs: sinceStart(), incidentId: view.incident.id, view });
      const messageId = card?.messageId ?? `m${view.incident.id}`;
      return {
        kind: 'sent',
        ref: messageId,
        card: { channel: 'C', messageId, contentHash: `h${cards.length}` },
      };
    },
    deliverBare: () => Promise.reject(new Error('nobody expected a bare card')),
  };

  let current = await start();

  async function start() {
    const process = createMortalProcess({ clock, db: outerDb });
    const { db } = process;
    const stores = createWriteStores();
    const diagnoses = createDiagnosisStore();
    const readView = (id: number) => readIncidentView(outerDb.kysely, id);
    const common = {
      explains: options.explains ?? (() => false),
      route:
        options.route ??
        ((severity) =>
          severity === 'critical'
            ? [
                { receiver: 'pager', kind: 'pagerduty' },
                { receiver: 'slack', kind: 'slack' },
              ]
            : severity === 'warning'
              ? [{ receiver: 'slack', kind: 'slack' }]
              : []),
      resolveHoldMs: options.resolveHoldMs ?? 5 * M,
      flapping: options.flapping ?? { cycles: 3, withinMs: 30 * M, quietMs: 15 * M },
      storm: options.storm ?? STORM,
    } satisfies Partial<IntakeDeps>;
    const dispatcher = createDispatcher({
      db,
      stores: {
        notifications: stores.notifications,
        accounts: createAccountStore(),
        timeline: stores.timeline,
      },
      receivers: new Map([pager, slack].map((one) => [one.name, one])),
      readView,
      clock: process.clock,
      random: () => 0.5,
      logger: silentLogger,
      slowCardMs: common.storm.cardEveryMs,
      pageGate: createPageGate({
        ceilings: options.ceilings ?? CEILINGS,
        isPager: (name) => name.startsWith('pager'),
        stores,
      }),
    });
    const workLoop = createWorkLoop({
      ...stores,
      db,
      clock: process.clock,
      logger: silentLogger,
      onDue: () => dispatcher.wake(),
      investigate: createInvestigate({
        ...stores,
        db,
        diagnoses,
        clock: process.clock,
        logger: silentLogger,
        readView,
        onDue: () => dispatcher.wake(),
        afterDiagnosis: createAfterDiagnosis({
          ...common,
          scopeLabels: ['cluster', 'namespace', 'model'],
          pageDeadlineMs: 5 * SECOND,
        }),
        diagnose: (view) =>
          new Promise((resolve) => {
            const startedAtMs = clock.now();
            process.clock.after(options.diagnosisMs ?? 300, () =>
              resolve({
                entryId: 'entry',
                entryIsDefault: false,
                enrichment: aDiagnosis().enrichment,
                findings: [],
                verdict: aVerdict(options.verdict?.(view) ?? UNEXPLAINED),
                startedAtMs,
                finishedAtMs: clock.now(),
              }),
            );
          }),
        freeze: () =>
          Promise.resolve({ formatVersion: 1, recordedAtMs: clock.now(), body: new Uint8Array() }),
      }),
    });
    const intake = createIntake({
      ...common,
      db,
      clock: process.clock,
      logger: silentLogger,
      reopenWindowMs: options.reopenWindowMs ?? 30 * M,
      onCommitted() {
        workLoop.wake();
        dispatcher.wake();
      },
    });
    const upkeep = createUpkeepLoop({
      db,
      stores,
      clock: process.clock,
      logger: silentLogger,
      parts: [
        createLeaveFlapping(common.flapping),
        createEndStorms(common.storm),
        createKeepUmbrellas({
          ceilings: options.ceilings ?? CEILINGS,
          stormPageEveryMs: common.storm.pageEveryMs,
          resolveHoldMs: common.resolveHoldMs,
        }),
      ],
      onChanged() {
        workLoop.wake();
        dispatcher.wake();
      },
    });
    await db.transaction((tx) => stores.work.releaseWork(tx, { nowMs: clock.now() }));
    await dispatcher.start();
    workLoop.start();
    upkeep.start();
    const timers =
      options.reminders === undefined ? null : createPagingTimers(process, intake, options.reminders);
    await timers?.start();
    const reconcile =
      options.upstream === undefined
        ? null
        : createPagingReconcile(process, intake, common.route, options.upstream);
    function wake() {
      workLoop.wake();
      dispatcher.wake();
    }
    return { process, intake, wake, reconcile };
  }

  return {
    clock,
    db: outerDb,
    async receive(...alerts) {
      const group = aGroup(alerts);
      const outcome = await current.intake.receive({
        source: group.source,
        body: Buffer.from('{}'),
        parsed: { kind: 'group', group },
      });
      await clock.advance(0);
      return outcome;
    },
    async view(incidentId) {
      const view = await readIncidentView(outerDb.kysely, incidentId);
      if (view === null) throw new Error(`there is no incident ${incidentId}`);
      return view;
    },
    calls: () => calls,
    wakes: () => calls.filter((call) => call.woke),
    openAtPager: () => [...standing].filter(([, state]) => state === 'open').map(([key]) => key),
    cards: () => cards,
    pagerAnswers(next) {
      answer = next;
    },
    async restart() {
      current.process.kill();
      await clock.advance(0);
      current = await start();
    },
    attempts: () => attempts,
    zombies: () => zombies,
    async acknowledge(incidentId) {
      const result = await acknowledge(current.process.db, { incidentId, actor: 'mia', nowMs: clock.now() });
      current.wake();
      await clock.advance(0);
      return result;
    },
    async reconcile() {
      await current.reconcile?.run();
      current.wake();
      await clock.advance(0);
    },
    async close() {
      current.process.kill();
      await clock.advance(0);
      if (options.db === undefined) await outerDb.close();
    },
  };
}
