/**
 * One small fixed story, told to a service that is in trouble at one point of it: a critical and a warning fire, are
 * paged and shown, and resolve; then the service is stopped. Alertmanager's double retries as the real one does, so
 * whatever happens in between, the books must balance at the end.
 */

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'undici';
import { type AlertmanagerDouble, createAlertmanagerDouble } from '../../test/support/alertmanager-double.js';
import { startBlankPrometheus } from './blank-prometheus.js';
import { type MoodyPagerDuty, startMoodyPagerDuty } from './moody-pagerduty.js';
import { createPostWebhook } from './post-webhook.js';
import { createRandom } from './random.js';
import { countUnfinished, NOTHING_STORED, readDatabase, type StoredState } from './read-database.js';
import { realClock, sleep } from './real-clock.js';
import { acceptedOf, type Findings, reconcile } from './reconcile.js';
import { createService, type Exit, type Service, type SpawnOptions } from './service.js';
import { serviceEnv } from './service-settings.js';

export type ScenarioOptions = {
  readonly dist: string;
  /** Emptied first. */
  readonly workDirectory: string;
  /** How the first process is started; those that follow are started plainly. */
  readonly first: (paths: { readonly database: string }) => SpawnOptions;
  readonly env?: Readonly<Record<string, string>>;
  /** Prometheus never answers: then the page waits for its deadline, and a timer has to send it. */
  readonly blind?: boolean;
  /** Called when the service is ready and nothing was said yet. */
  readonly beforeStory?: () => void;
  readonly withinMs?: number;
};

export type ScenarioReport = Findings & {
  /** How the first process ended, and whether it was ready before. */
  readonly firstExit: Exit & { readonly wasReady: boolean };
  readonly integrity: string;
  /** Alertmanager had nothing left to say and the service nothing left to do in time. */
  readonly settled: boolean;
  /** Processes that were started. */
  readonly starts: number;
  /** From the first alert to the first page that the pager accepted; null without one. */
  readonly firstPageMs: number | null;
  /** Triggers that the pager accepted. */
  readonly triggers: number;
  readonly pid: number;
};

const TIMINGS = {
  page_deadline: '300ms',
  diagnosis: '200ms',
  query: '150ms',
  resolve_hold: '300ms',
  reopen_window: '1s',
};
const PAGE_DEADLINE_MS = 300;
const WITHIN_MS = 30_000;

const common = { cluster: 'prod', model: 'llama-70b', namespace: 'serving' };
const CRITICAL = ['0', '1'].map((pod) => ({ ...common, alertname: 'PointA', severity: 'critical', pod }));
const WARNING = [{ ...common, alertname: 'PointB', severity: 'warning', pod: '0' }];
const ALERTS = [...CRITICAL, ...WARNING];

export async function runScenario(options: ScenarioOptions): Promise<ScenarioReport> {
  const { workDirectory } = options;
  rmSync(workDirectory, { recursive: true, force: true });
  mkdirSync(join(workDirectory, 'data'), { recursive: true });
  const database = join(workDirectory, 'data', 'wakewell.db');
  const pagerDuty = await startMoodyPagerDuty({ clock: realClock, random: createRandom(1) });
  pagerDuty.calm();
  const prometheus = await startBlankPrometheus(createRandom(2), options.blind === true ? 1 : 0);
  const service = await createService({
    distDirectory: options.dist,
    workDirectory,
    logFile: join(workDirectory, 'service.log'),
    clock: realClock,
    env: {
      ...serviceEnv({
        ...{ workDirectory, database, timings: TIMINGS },
        prometheusUrl: prometheus.url,
        pagerDutyUrl: pagerDuty.url,
      }),
      ...options.env,
    },
  });
  const pool = new Pool(service.url, { connections: 4 });
  const double = createDouble(pool);
  try {
    service.spawn(options.first({ database }));
    const pid = service.pid();
    const firstEnded = service.untilExit();
    const withinMs = options.withinMs ?? WITHIN_MS;
    let firedAtMs = 0;
    const beforeStory = () => {
      options.beforeStory?.();
      firedAtMs = realClock.now();
    };
    const settled = await tell({ database, double, pagerDuty, service, withinMs, beforeStory });
    await double.stop();
    const stored = readOrNothing(database);
    const findings = reconcile({
      attempts: double.attempts(),
      stored,
      events: pagerDuty.accepted(),
      refused: pagerDuty.refused(),
      lives: service.lives,
      pageDeadlineMs: PAGE_DEADLINE_MS,
    });
    const { integrity } = stored;
    const firstExit = { ...(await firstEnded), wasReady: (service.lives[0]?.readyAtMs ?? null) !== null };
    const triggers = pagerDuty.accepted().filter((event) => event.action === 'trigger');
    const [page] = triggers;
    return {
      ...findings,
      ...{ firstExit, integrity, settled, pid },
      starts: service.lives.length,
      firstPageMs: page === undefined ? null : page.atMs - firedAtMs,
      triggers: triggers.length,
    };
  } finally {
    await double.stop();
    await service.kill();
    await pool.destroy();
    await pagerDuty.close();
    await prometheus.close();
  }
}

/** Tells the story, starting the service again whenever it died. True when everything came to its end in time. */
async function tell(deps: {
  readonly database: string;
  readonly double: AlertmanagerDouble;
  readonly pagerDuty: MoodyPagerDuty;
  readonly service: Service;
  readonly withinMs: number;
  readonly beforeStory: () => void;
}): Promise<boolean> {
  const { double, pagerDuty, service } = deps;
  const giveUpAtMs = realClock.monotonic() + deps.withinMs;
  let stopping = false;
  const reviving = revive();

  async function revive(): Promise<void> {
    while (realClock.monotonic() < giveUpAtMs) {
      await service.untilExit();
      if (stopping) return;
      service.spawn();
      await service.untilReady();
    }
  }

  async function until(condition: () => boolean): Promise<boolean> {
    while (realClock.monotonic() < giveUpAtMs) {
      if (condition()) return true;
      await sleep(10);
    }
    return false;
  }

  const accepted = (action: string) => pagerDuty.accepted().some((event) => event.action === action);
  const isOver = () => double.isQuiet() && isFinished(deps.database);
  await service.untilReady();
  deps.beforeStory();
  for (const labels of ALERTS) double.fire(labels, { summary: 'a point of the story' });
  // A page may have left without the database. What Alertmanager never got rid of it forgets once it is over, and then
  // nobody can tell the pager so: hence the alert goes on until it was taken.
  const taken = () => acceptedOf(double.attempts()).length > 0;
  await until(() => accepted('trigger') && taken());
  for (const labels of ALERTS) double.resolve(labels);
  const settled = (await until(() => accepted('resolve'))) && (await until(isOver));
  stopping = true;
  service.signal('SIGTERM');
  const { signal } = await service.untilExit();
  await reviving;
  if (signal === 'SIGKILL') {
    // The point lay in the stop: the next process must find everything in order.
    service.spawn();
    await service.untilReady();
    await until(isOver);
    await service.stop();
  }
  return settled;
}

function readOrNothing(database: string): StoredState {
  try {
    return readDatabase(database);
  } catch {
    return NOTHING_STORED;
  }
}

/** A database that does not exist yet, or is just being migrated, is not finished. */
function isFinished(database: string): boolean {
  try {
    return countUnfinished(database) === 0;
  } catch {
    return false;
  }
}

function createDouble(pool: Pool): AlertmanagerDouble {
  return createAlertmanagerDouble({
    clock: realClock,
    random: createRandom(3),
    post: createPostWebhook(pool),
    groupBy: ['cluster', 'model'],
    groupWaitMs: 20,
    groupIntervalMs: 150,
    repeatIntervalMs: 60_000,
    minFlushMs: 20_000,
    backoffMs: 40,
    maxBackoffMs: 200,
  });
}
