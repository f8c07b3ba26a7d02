/**
 * The composition root: the whole graph on one page, built in order, stopped in reverse. Only this file
 * names the system's clock, randomness and network.
 */

import { performance } from 'node:perf_hooks';
import { nodeCron } from 'node-cron';
import { builtInEnginesDirectory, loadEngineFiles } from './catalog/engine-file.js';
import { SIGNALS } from './catalog/signals.js';
import { DEFAULT_THRESHOLDS } from './catalog/thresholds.js';
import type { Config } from './config/config.js';
import { scaledRules } from './config/scaled-rules.js';
import { diagnose } from './diagnosis/diagnose.js';
import { recheck } from './diagnosis/recheck.js';
import { createWitness } from './diagnosis/witness.js';
import { type Clock, MINUTE, SECOND } from './domain/clock.js';
import { AppError } from './domain/errors.js';
import type { IncidentView } from './domain/incident-view.js';
import { labelsFrom } from './domain/labels.js';
import type { MetricsSource } from './domain/metrics-source.js';
import type { Scope } from './domain/scope.js';
import type { FindScopes } from './domain/serving-health.js';
import { createHealthWatch } from './health/watch-health.js';
import { createAlertmanagerWebhook } from './http/alertmanager-webhook.js';
import type { Readiness } from './http/health.js';
import { createHttpApp } from './http/http-app.js';
import { createHttpServer } from './http/http-server.js';
import { createPagerDutyWebhook } from './http/pagerduty-webhook.js';
import { createAfterDiagnosis } from './incidents/after-diagnosis.js';
import { createAuditor, lateInWords } from './incidents/auditor.js';
import { createTimers } from './incidents/create-timers.js';
import { directPages } from './incidents/direct-pages.js';
import { createEndStorms } from './incidents/end-storms.js';
import { createEscalations } from './incidents/escalations.js';
import { createFreeze } from './incidents/freeze-evidence.js';
import { createHeartbeats } from './incidents/heartbeats.js';
import { createIncidentActions } from './incidents/incident-actions.js';
import { createInvestigate } from './incidents/investigate.js';
import { createKeepUmbrellas } from './incidents/keep-umbrellas.js';
import { createLeaveFlapping } from './incidents/leave-flapping.js';
import { leaveShadow } from './incidents/leave-shadow.js';
import { createMaintenanceSummary } from './incidents/maintenance-summary.js';
import { readOpeningWebhook } from './incidents/opening-webhook.js';
import { createPageAnewStores } from './incidents/page-anew.js';
import { createPatientReceive } from './incidents/patient-receive.js';
import { createReadExplanation } from './incidents/read-explanation.js';
import { createIntake } from './incidents/receive-group.js';
import { createRestoredHold, RESTORED_HOLD_MS } from './incidents/restored-hold.js';
import { createUpkeepLoop } from './incidents/upkeep.js';
import { createWorkLoop } from './incidents/work-loop.js';
import { createWriteStores } from './incidents/write-types.js';
import { createDeadMan } from './jobs/dead-man.js';
import { startHousekeeping } from './jobs/housekeeping.js';
import { createReconciling } from './jobs/reconciling.js';
import { createLogger, type Logger } from './log/logger.js';
import { createServiceMetrics } from './log/service-metrics.js';
import { createStorageMetrics } from './log/storage-metrics.js';
import { createTimerMetrics } from './log/timer-metrics.js';
import { createBreakGlass } from './outbox/break-glass.js';
import { createDispatcher } from './outbox/dispatcher.js';
import { createPageGate } from './outbox/page-ceiling.js';
import { storageAlarm } from './outbox/storage-alarm.js';
import { troubleInWords } from './outbox/trouble-in-words.js';
import { readUnclaimedPages } from './outbox/unclaimed-pages.js';
import { explainsFrom } from './playbook/explains.js';
import { builtInPlaybooksDirectory, loadPlaybooks } from './playbook/load.js';
import { matchEntry } from './playbook/match.js';
import { connectLogs } from './prometheus/connect-logs.js';
import { connectSources } from './prometheus/connect-sources.js';
import { createReceivers } from './receivers/create-receivers.js';
import { fetchNothing } from './receivers/shadow.js';
import { renderPlainText } from './render/plain-text.js';
import { maintenanceOf } from './routing/maintenance.js';
import { compileRoutes, createMatcher, createRouter } from './routing/router.js';
import { createOpenForm } from './slack/open-form.js';
import { createRespond } from './slack/respond.js';
import { slackAppsOf } from './slack/slack-apps.js';
import { createSlackCallbacks } from './slack/slack-callbacks.js';
import { createAccountStore } from './store/account-store.js';
import { createCallbackStore } from './store/callback-store.js';
import { lossOf } from './store/database-trouble.js';
import { createDiagnosisStore } from './store/diagnosis-store.js';
import { createHeartbeatStore } from './store/heartbeat-store.js';
import {
  countByState,
  listIncidents,
  diagnoses as readDiagnoses,
  recording as readRecording,
  timeline as readTimeline,
} from './store/incident-history.js';
import { readIncidentView } from './store/incident-view.js';
import { createNotificationStore } from './store/notification-store.js';
import { openStorage, type Storage } from './store/open-storage.js';
import { createReconcileStore } from './store/reconcile-store.js';
import { createTimelineStore } from './store/timeline-store.js';
import { createTimerStore } from './store/timer-store.js';
import type { Trouble } from './store/trouble-board.js';
import { createWorkStore } from './store/work-store.js';
import { createPageRenderers } from './ui/pages.js';

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};

/** Freezing asks for every signal of the catalog, after the page; a source that hangs must not hold the work. */
const FREEZE_MS = 20 * SECOND;

const SHADOW_BANNER = 'Shadow mode: everything is decided and shown here, and nobody is told of anything.';

export type App = {
  /** Listens, then works. Resolves with the address once connections are accepted. */
  readonly start: () => Promise<{ readonly url: string }>;
  /** Stops taking in, finishes what is under way within about 10 s, closes the database. Twice is fine. */
  readonly stop: () => Promise<void>;
  /** Everything about one incident as it is now; null when there is none. */
  readonly readView: (incidentId: number) => Promise<IncidentView | null>;
};

type Metrics = {
  readonly source: MetricsSource;
  /** The one of several that knows a scope. */
  readonly sourceFor: (scope: Scope) => MetricsSource;
  readonly findScopes: FindScopes;
};

export type AppOverrides = {
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly fetch?: typeof globalThis.fetch;
  readonly logger?: Logger;
  /** In place of Prometheus: the simulated fleet, a recording. */
  readonly source?: MetricsSource;
  /** Where models are served, when `source` is given. */
  readonly findScopes?: FindScopes;
  /** Takes whatever lies at the database's path, or nothing, as the database that belongs there. */
  readonly acceptDatabase?: boolean;
};

/** Builds the whole service without starting it. Throws AppError `bad_request` with every fault of playbooks and engine files. */
export async function buildApp(config: Config, overrides: AppOverrides = {}): Promise<App> {
  const clock = overrides.clock ?? systemClock;
  const logger = overrides.logger ?? createLogger({ level: config.logLevel });
  const { timeScale } = config;
  const stopStack: { readonly name: string; readonly stop: () => unknown }[] = [];
  const onStop = (name: string, stop: () => unknown) => stopStack.push({ name, stop });
  const ending = new AbortController();

  const thresholds = { ...DEFAULT_THRESHOLDS, ...config.thresholds };
  const { entries, faults, texts } = loadPlaybooks({
    directories: [builtInPlaybooksDirectory(), ...config.playbookDirectories],
    signals: new Set(SIGNALS.map((signal) => signal.name)),
    thresholds,
  });
  if (faults.length > 0) {
    throw new AppError(
      'bad_request',
      faults.map((one) => `${one.file}:${one.line}: ${one.message}`).join('\n'),
    );
  }
  const ownEngines = config.engineDirectories.flatMap(loadEngineFiles);

  const metrics = createServiceMetrics();
  const storageMetrics = createStorageMetrics(metrics.registry);
  const silenceSource = config.alertmanager.urls.length === 0 ? null : config.alertmanager.source;
  const shadow = config.mode === 'shadow';
  // What tells somebody something goes out by this alone; questions to metrics and Alertmanager have their own ways.
  const fetch = shadow ? fetchNothing : (overrides.fetch ?? globalThis.fetch);
  metrics.setShadow(shadow);
  const receivers = createReceivers(config.receivers, {
    shadow,
    silenceSource,
    publicUrl: config.publicUrl,
    ...(Object.keys(config.slo).length === 0 ? {} : { slo: config.slo }),
    fetch,
    clock,
    logger: logger.child({ part: 'receivers' }),
  });
  const receiverRefs = [...receivers.values()].map(({ name, kind }) => ({ name, kind }));
  const explains = explainsFrom(entries);
  const { flapping, storm, pageCeilings } = scaledRules(config);
  const resolveHoldMs = config.timings.resolveHoldMs / timeScale;
  const route = createRouter(compileRoutes(config.routes), receiverRefs);
  const breakGlass = createBreakGlass({
    receivers,
    route: (labels) => route('critical', labels),
    clock,
    logger: logger.child({ part: 'break-glass' }),
    metrics: metrics.breakGlass,
  });
  const { db, guard, troubles } = await openOrAlarm();
  onStop('database', () => db.close());
  onStop('database guard', () => guard.stop());
  const callbacks = createCallbackStore();
  const diagnoses = createDiagnosisStore();
  const notifications = createNotificationStore();
  const timeline = createTimelineStore();
  const work = createWorkStore();
  const readView = (incidentId: number) => readIncidentView(db.kysely, incidentId);

  const {
    source,
    sourceFor: metricsFor,
    findScopes,
  } = overrides.source === undefined ? connectPrometheus() : given(overrides.source);
  const logs = connectLogs(config.loki, { timeoutMs: config.timings.queryMs, clock });
  onStop('logs', () => logs.close());
  const sourceFor = (scope: Scope) => logs.beside(metricsFor(scope));
  const servingHealth = createHealthWatch({
    ...{ db, source, findScopes, thresholds, clock },
    logger: logger.child({ part: 'health' }),
  });
  const windows = config.maintenance.map((one) => ({
    ...one,
    matchers: compileRoutes([{ matchers: one.matchers, receivers: [] }]).flatMap((each) => each.matchers),
  }));
  const restoredHold = createRestoredHold({
    db,
    holdMs: RESTORED_HOLD_MS / timeScale,
    clock,
    logger: logger.child({ part: 'restore' }),
  });
  const outboxStores = { notifications, accounts: createAccountStore(), timeline };
  const dispatcher = createDispatcher({
    db,
    stores: outboxStores,
    maintenanceOf: (view, nowMs) => maintenanceOf(windows, view, nowMs),
    receivers,
    readView,
    clock,
    random: overrides.random ?? Math.random,
    logger: logger.child({ part: 'outbox' }),
    metrics: metrics.outbox,
    pageGate: createPageGate({
      ceilings: pageCeilings,
      isPager: (name) => receivers.get(name)?.kind === 'pagerduty',
      stores: outboxStores,
    }),
    slowCardMs: storm.cardEveryMs,
    atStart: restoredHold.begin,
    onStuck() {
      readUnclaimedPages({ db, stores: outboxStores, clock })
        .then(breakGlass.page)
        .catch((error: unknown) =>
          logger.error({ err: error }, 'stored pages can be neither claimed nor read'),
        );
    },
  });
  metrics.watchReceivers(() => dispatcher.troubles());
  const settleBounds = createAfterDiagnosis({
    explains,
    route,
    scopeLabels: config.scopeLabels,
    pageDeadlineMs: config.timings.pageDeadlineMs,
    resolveHoldMs,
    flapping,
    storm,
  });
  const escalations = createEscalations({
    db,
    stores: { notifications, timeline, timers: createTimerStore(), reconcile: createReconcileStore() },
    receivers: receiverRefs,
    targets: config.escalationTargets,
    entryFor: (labels) => matchEntry(entries, labels).entry,
    recheck: ({ scope }, entry, check) =>
      recheck(check, {
        ...{ entry, scope, thresholds, timeScale, clock },
        source: sourceFor(scope),
        atMs: clock.now(),
        deadlineMs: config.timings.diagnosisMs,
      }),
  });
  const investigate = createInvestigate({
    db,
    diagnoses,
    notifications,
    timeline,
    async afterDiagnosis(tx, diagnosed) {
      const survivorId = await settleBounds(tx, diagnosed);
      await escalations.plan(tx, survivorId, diagnosed.nowMs);
      return survivorId;
    },
    readView,
    async diagnose(view) {
      const asked = about(view);
      const witness = createWitness(asked.source);
      const deadlineMs = config.timings.diagnosisMs;
      const outcome = await diagnose({ ...asked, source: witness.source, deadlineMs, clock, entries });
      return { ...outcome, evidence: { atMs: asked.atMs, testimony: witness.testimony() } };
    },
    freeze: createFreeze({
      ...{ entries, texts, thresholds, timeScale, clock, about },
      deadlineMs: config.timings.diagnosisMs,
      openingWebhook: ({ incident }) => readOpeningWebhook(db.kysely, incident, config),
      signal: () => AbortSignal.any([AbortSignal.timeout(FREEZE_MS), ending.signal]),
      ending: ending.signal,
    }),
    clock,
    logger,
    onDue: () => dispatcher.wake(),
  });
  const workLoop = createWorkLoop({
    db,
    work,
    notifications,
    timeline,
    investigate,
    clock,
    logger: logger.child({ part: 'investigate' }),
    onDue: () => dispatcher.wake(),
  });
  const planning = {
    db,
    clock,
    explains,
    reopenWindowMs: config.timings.reopenWindowMs / timeScale,
    resolveHoldMs,
    flapping,
    storm,
    logger: logger.child({ part: 'intake' }),
  };
  const heartbeats = createHeartbeats({
    stores: { heartbeats: createHeartbeatStore(), timers: createTimerStore() },
    isHeartbeat: createMatcher(config.watchdog.matchers),
    intervalMs: config.watchdog.intervalMs,
    scopeLabels: config.scopeLabels,
  });
  const intake = createIntake({
    ...planning,
    heartbeats,
    route,
    pageDeadlineMs: config.timings.pageDeadlineMs,
    onCommitted: wakeWorkers,
    onTruncated: (group) => reconciling.groupTruncated(group),
    metrics: metrics.intake,
  });
  const timerMetrics = createTimerMetrics(metrics.registry);
  const timers = createTimers({
    db,
    clock,
    logger: logger.child({ part: 'timers' }),
    receivers: [...receivers.values()],
    delays: config.reminders,
    escalations,
    watchdog: { heartbeats, receiveWithin: intake.receiveWithin, scopeLabels: config.scopeLabels },
    onDue: wakeWorkers,
    metrics: timerMetrics,
  });
  const auditor = createAuditor({
    db,
    clock,
    logger: logger.child({ part: 'auditor' }),
    resolveHoldMs,
    scopeLabels: config.scopeLabels,
    retry: wakeWorkers,
    receive: intake.receive,
    metrics: timerMetrics,
  });
  const deadMan =
    config.deadMan === undefined || shadow
      ? null
      : createDeadMan({
          url: config.deadMan.url.reveal(),
          intervalMs: config.deadMan.intervalMs,
          passedAgoMs: auditor.passedAgoMs,
          fetch,
          clock,
          logger: logger.child({ part: 'dead-man' }),
          metrics: timerMetrics,
        });
  const reconciling = createReconciling({
    db,
    config,
    receive: intake.receive,
    isHeartbeat: heartbeats.isHeartbeat,
    route,
    onDue: wakeWorkers,
    clock,
    logger: logger.child({ part: 'reconcile' }),
    metrics: {
      reconciled(result) {
        restoredHold.compared(result);
        metrics.reconcile.reconciled(result);
      },
    },
  });

  const upkeep = createUpkeepLoop({
    db,
    stores: createWriteStores(),
    parts: [
      restoredHold.upkeep,
      createLeaveFlapping(flapping),
      createMaintenanceSummary(windows, logger.child({ part: 'maintenance' })),
      createEndStorms(storm),
      createKeepUmbrellas({
        ceilings: pageCeilings,
        stormPageEveryMs: storm.pageEveryMs,
        resolveHoldMs,
      }),
    ],
    clock,
    logger: logger.child({ part: 'upkeep' }),
    onChanged: wakeWorkers,
  });

  /** A commit may have left work and messages due. */
  function wakeWorkers(): void {
    workLoop.wake();
    dispatcher.wake();
  }

  /** What diagnosis is told of an incident: its lead alert, and where. */
  function about(view: IncidentView) {
    const { incident } = view;
    const lead = view.alerts.find((alert) => alert.alertKey === incident.alertKey) ?? view.alerts[0];
    return {
      labels: lead?.labels ?? labelsFrom([['alertname', incident.alertName]]),
      alertName: incident.alertName,
      alertExpression: lead?.expression ?? null,
      scope: incident.scope,
      source: sourceFor(incident.scope),
      thresholds,
      atMs: clock.now(),
      timeScale,
    };
  }

  /** Nobody else tells when the service does not start for want of what it had stored. */
  async function openOrAlarm(): Promise<Storage> {
    try {
      return openStorage(config.databaseUrl, {
        clock,
        logger: logger.child({ part: 'storage' }),
        metrics: storageMetrics,
        accept: overrides.acceptDatabase === true,
        onTrouble(trouble) {
          const id = `${db.identity?.uuid}\0${db.identity?.generation}`;
          void alarm(trouble, id, 'alerts are answered 503 until it is repaired');
        },
      });
    } catch (error) {
      const kind = lossOf(error);
      const { message: detail } = error as Error;
      if (kind !== null) await alarm({ kind, detail }, config.databaseUrl, 'the service does not start');
      throw error;
    }
  }

  async function alarm(trouble: Trouble, databaseId: string, consequence: string): Promise<void> {
    const page = storageAlarm(trouble, databaseId, consequence);
    if (page !== null) await breakGlass.page([page]);
  }

  function given(own: MetricsSource): Metrics {
    const nowhere = { kind: 'scopes', scopes: [] } as const;
    const findScopes = overrides.findScopes ?? (() => Promise.resolve(nowhere));
    return { source: own, sourceFor: () => own, findScopes };
  }

  function connectPrometheus(): Metrics {
    if (config.prometheus.length === 0) return blindSource('no PROMETHEUS_URL is configured');
    const connected = connectSources({
      sources: config.prometheus,
      engines: [...ownEngines, ...loadEngineFiles(builtInEnginesDirectory())],
      scopeLabels: config.scopeLabels,
      queryMs: config.timings.queryMs,
      defaultWindowMs: Math.max(5 * SECOND, Math.round((5 * MINUTE) / timeScale)),
      ...{ clock, timeScale },
    });
    onStop('prometheus', () => connected.close());
    return connected;
  }

  const webhook = createAlertmanagerWebhook({
    intake: { receive: createPatientReceive(intake.receive, clock) },
    breakGlass: async (group) => breakGlass.page(await directPages(planning, group)),
    tokens: config.tokens.webhook.map(({ name, token }) => ({ source: name, token: token.reveal() })),
    scopeLabels: config.scopeLabels,
    severityMapping: config.severityMapping,
    logger: logger.child({ part: 'webhook' }),
    metrics: metrics.webhook,
  });
  const actions = createIncidentActions({
    db,
    clock,
    pageDeadlineMs: config.timings.pageDeadlineMs,
    silencing: {
      clients: reconciling.clients,
      source: config.alertmanager.source,
      shadow,
      reconcile: reconciling.now,
    },
    onCommitted: wakeWorkers,
  });
  const slackLogger = logger.child({ part: 'slack' });
  const slackNetwork = { fetch, clock, logger: slackLogger };
  const slackCallbacks = createSlackCallbacks(
    {
      actions,
      reads: { view: readView, list: (query) => listIncidents(db.kysely, query) },
      claim: (key) => db.transaction((tx) => callbacks.claimCallback(tx, key, clock.now())),
      respond: createRespond(slackNetwork),
      openForm: createOpenForm(slackNetwork),
      answered: (status) => metrics.callbacks.answered('slack', status),
      silenceSource,
      publicUrl: config.publicUrl,
      ...(Object.keys(config.slo).length === 0 ? {} : { slo: config.slo }),
      clock,
      logger: slackLogger,
    },
    slackAppsOf(config.receivers),
  );
  const pagerDutyWebhook = createPagerDutyWebhook({
    secrets: config.receivers.flatMap((one) =>
      one.kind === 'pagerduty'
        ? one.signingSecrets.map((secret) => ({ secret: secret.reveal(), receiver: one.name }))
        : [],
    ),
    apply: actions.pagerAct,
    answered: (status) => metrics.callbacks.answered('pagerduty', status),
    clock,
    logger: logger.child({ part: 'pagerduty' }),
  });
  const http = createHttpApp({
    webhook,
    callbacks: [slackCallbacks, pagerDutyWebhook],
    incidents: {
      reads: {
        list: (query) => listIncidents(db.kysely, query),
        view: readView,
        timeline: (id) => readTimeline(db.kysely, id),
        diagnoses: (id) => readDiagnoses(db.kysely, id),
        explanation: createReadExplanation({ db, receivers: { troubleOf }, now: clock.now }),
        recording: (id, diagnosisId) => readRecording(db.kysely, id, diagnosisId),
      },
      actions,
      ...(Object.keys(config.slo).length === 0 ? {} : { slo: config.slo }),
    },
    pages: {
      render: createPageRenderers(config.slo, () => (shadow ? [SHADOW_BANNER] : [])),
      counts: () => countByState(db.kysely),
      servingHealth,
      outbox: (limit) => notifications.listOutbox(db.kysely, { limit }),
      receiverTroubles: () => dispatcher.troubles().map(troubleInWords),
      notificationsOf: (id) => notifications.notificationsOf(db.kysely, id),
      async renderMessage({ incidentId }) {
        const view = await readView(incidentId);
        return view === null
          ? null
          : renderPlainText(view, { publicUrl: config.publicUrl, columns: Number.POSITIVE_INFINITY });
      },
      playbooks: () => entries,
      now: clock.now,
    },
    health: { readiness, mode: config.mode, metrics: metrics.registry },
    apiTokens: config.tokens.api,
    publicUrl: config.publicUrl,
    logger: logger.child({ part: 'http' }),
  });
  const server = createHttpServer(http);
  server.prependListener('request', (_request, response) => {
    // Whoever comes while the service stops is answered, and then asks elsewhere or again.
    if (ending.signal.aborted) response.setHeader('connection', 'close');
  });

  function troubleOf(receiver: string): string | null {
    const account = receivers.get(receiver)?.account ?? receiver;
    const state = dispatcher.troubles().find((one) => one.account === account);
    return state === undefined ? null : troubleInWords(state);
  }

  /** Ready means: a write reaches the disk now, in the file that was opened. The transaction touches a row that does not exist. */
  async function readiness(): Promise<Readiness> {
    if (ending.signal.aborted) return notReady('service', 'it is stopping');
    const trouble = troubles.list().find((one) => one.stops);
    if (trouble !== undefined) return notReady('database', trouble.detail);
    try {
      await db.transaction((tx) => notifications.bumpRevision(tx, 0), { promised: true });
      const database = { name: 'database', ok: true, detail: 'a write was committed' };
      // A receiver in trouble is said, and is no reason to send alerts elsewhere.
      const receivers = dispatcher.troubles().map((state) => ({
        name: `receiver ${state.account}`,
        ok: false,
        detail: troubleInWords(state),
      }));
      const late = auditor.late().map((one) => ({
        name: `late ${one.check}`,
        ok: false,
        detail: lateInWords(one, clock.now()),
      }));
      return { ready: true, checks: [database, ...receivers, ...late] };
    } catch (error) {
      return notReady('database', error instanceof Error ? error.message : String(error));
    }
  }

  function notReady(name: string, detail: string): Readiness {
    return { ready: false, checks: [{ name, ok: false, detail }] };
  }

  let stopping: Promise<void> | null = null;
  return {
    readView,
    async start() {
      await new Promise<void>((listening, failed) => {
        server.once('error', failed);
        server.listen(config.port, config.host, () => listening());
      });
      onStop('http', () => closeServer());
      // Each has a bound of its own, and neither waits for the other.
      onStop('outbox and investigations', () => Promise.all([dispatcher.stop(), workLoop.stop()]));
      onStop('upkeep', () => upkeep.stop());
      await db.transaction((tx) => work.releaseWork(tx, { nowMs: clock.now() }));
      guard.start();
      const jobs = startHousekeeping({
        ...{ db, config, troubles, clock, cron: nodeCron, keepHealth: servingHealth.keep },
        logger: logger.child({ part: 'jobs' }),
        metrics: storageMetrics,
      });
      onStop('jobs', () => jobs.stop());
      // First of all: from then on the webhook answers 503, while the rest goes on to the end.
      onStop('intake', () => intake.close());
      onStop('reconciling', () => reconciling.stop());
      onStop('timers', () => timers.stop());
      onStop('auditor', () => auditor.stop());
      onStop('dead-man', () => deadMan?.stop());
      if (!shadow) {
        const { pageDeadlineMs } = config.timings;
        await leaveShadow({ db, stores: createPageAnewStores(), route, pageDeadlineMs, now: clock.now });
      }
      await dispatcher.start();
      workLoop.start();
      reconciling.start();
      upkeep.start();
      await timers.start();
      auditor.start();
      deadMan?.start();
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : config.port;
      const host = config.host.includes(':') ? `[${config.host}]` : config.host;
      return { url: `http://${host}:${port}` };
    },
    stop() {
      ending.abort();
      stopping ??= (async () => {
        for (const step of stopStack.reverse()) {
          try {
            await step.stop();
          } catch (error) {
            logger.error({ err: error, step: step.name }, 'a part did not stop cleanly');
          }
        }
      })();
      return stopping;
    },
  };

  function closeServer(): Promise<void> {
    return new Promise((closed) => {
      server.close(() => closed());
      server.closeIdleConnections();
      clock.after(SECOND / 2, () => server.closeAllConnections());
    });
  }
}

/** A source that sees nothing and says why: incidents are opened and routed without it. */
function blindSource(detail: string): Metrics {
  const nothing = { kind: 'failed', reason: 'unreachable', detail, engine: null, query: null } as const;
  const source: MetricsSource = {
    kind: 'prometheus',
    readSignal: () => Promise.resolve(nothing),
    readRange: () => Promise.resolve(nothing),
    query: () => Promise.resolve(nothing),
  };
  return { source, sourceFor: () => source, findScopes: () => Promise.resolve(nothing) };
}
