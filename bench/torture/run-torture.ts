/**
 * One torture: the service under load, killed again and again, sometimes with a power cut; then quiet, then
 * the books are compared. Everything random comes from one seed; real time decides what the kills hit.
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'undici';
import { type AlertmanagerDouble, createAlertmanagerDouble } from '../../test/support/alertmanager-double.js';
import { startBlankPrometheus } from './blank-prometheus.js';
import { createLoad, GROUP_BY, planProblems } from './load.js';
import { type MoodyPagerDuty, startMoodyPagerDuty } from './moody-pagerduty.js';
import { createPostWebhook } from './post-webhook.js';
import { compilePowerCutShim, cutPower, powerCutEnv } from './power-cut.js';
import { between, createRandom, type Random } from './random.js';
import { countUnfinished, NOTHING_STORED, readDatabase, type StoredState } from './read-database.js';
import { realClock, sleep } from './real-clock.js';
import { acceptedOf, type Findings, isFaultless, reconcile } from './reconcile.js';
import { createService, type Service } from './service.js';
import { PAGE_DEADLINE_MS, serviceEnv } from './service-settings.js';

export type TortureOptions = {
  readonly dist: string;
  /** Emptied first; holds database, logs and the shim. */
  readonly workDirectory: string;
  readonly kills: number;
  readonly seed: number;
  /** Share of the kills that also cut the power, 0–1. */
  readonly powerCutShare: number;
  /** The load goes on after the last kill until this many alerts were accepted, for a minute at most. */
  readonly minAccepted: number;
  /** How long it may take until nothing is left to be said and done; 90 s when absent. */
  readonly settleWithinMs?: number;
  /** Every kill waits for a page that the pager has read and does not take: for builds whose fault lies there. */
  readonly killAtRefusedPage?: boolean;
  readonly onProgress: (line: string) => void;
};

export type TortureReport = { readonly kills: number } & Findings & {
    readonly seed: number;
    readonly power_cuts: number;
    readonly unsynced_bytes: number;
    readonly webhooks: number;
    /** Alerts accepted while the kills went on. */
    readonly accepted_under_kills: number;
    readonly incidents: number;
    readonly episodes: number;
    readonly pages_accepted: number;
    readonly pager_refusals: number;
    readonly integrity: string;
    readonly settled: boolean;
    readonly stopped_by_itself: boolean;
  };

const KILL_WITHIN_MS = 800;
/** A busy machine takes its time until the first page of a life leaves; without one the kill would prove nothing. */
const PAGE_WITHIN_MS = 20_000;
const SETTLE_WITHIN_MS = 90_000;
const MIN_ACCEPTED_WITHIN_MS = 60_000;

/** True when the books balance, nothing is left to do and the database is whole. */
export function isClean(report: TortureReport): boolean {
  return report.settled && report.integrity === 'ok' && isFaultless(report);
}

/** Whatever the service loses or doubles is in the report, and when it does not come up any more, all that cannot be read. */
export async function runTorture(options: TortureOptions): Promise<TortureReport> {
  const { workDirectory, seed } = options;
  rmSync(workDirectory, { recursive: true, force: true });
  mkdirSync(join(workDirectory, 'data'), { recursive: true });
  const database = join(workDirectory, 'data', 'wakewell.db');
  // One stream a purpose: how often one of them is asked must not shift the others.
  const dice = (purpose: number) => createRandom(seed * 16 + purpose);

  const pagerDuty = await startMoodyPagerDuty({ clock: realClock, random: dice(1) });
  const prometheus = await startBlankPrometheus(dice(2));
  const service = await createService({
    distDirectory: options.dist,
    workDirectory,
    logFile: join(workDirectory, 'service.log'),
    clock: realClock,
    env: {
      ...powerCutEnv(compilePowerCutShim(workDirectory), database),
      ...serviceEnv({ workDirectory, database, prometheusUrl: prometheus.url, pagerDutyUrl: pagerDuty.url }),
    },
  });
  const pool = new Pool(service.url, { connections: 16 });
  const double = createDouble(pool, dice(3));
  const load = createLoad({ clock: realClock, random: dice(4), problems: planProblems(dice(5)), double });
  const countAccepted = () =>
    acceptedOf(double.attempts()).reduce((sum, attempt) => sum + attempt.alerts.length, 0);

  try {
    load.start();
    const cuts = await killRepeatedly(options, { service, pagerDuty, database, random: dice(6) });
    const acceptedUnderKills = countAccepted();
    service.spawn();
    const isUp = await service.untilReady();
    const loadUntilMs = realClock.monotonic() + MIN_ACCEPTED_WITHIN_MS;
    while (isUp && countAccepted() < options.minAccepted && realClock.monotonic() < loadUntilMs) {
      await sleep(100);
    }
    load.finish();
    pagerDuty.calm();
    options.onProgress(`settling: ${countAccepted()} alerts accepted`);
    const settled = isUp && (await settle(database, double, options.settleWithinMs ?? SETTLE_WITHIN_MS));
    await double.stop();
    const stoppedByItself = await service.stop();

    const stored = readOrNothing(database);
    const findings = reconcile({
      attempts: double.attempts(),
      stored,
      events: pagerDuty.accepted(),
      refused: pagerDuty.refused(),
      lives: service.lives,
      pageDeadlineMs: PAGE_DEADLINE_MS,
    });
    // For whoever asks why: what was sent and answered, in order, and every life of the process.
    const evidence = { attempts: double.attempts(), events: pagerDuty.accepted(), lives: service.lives };
    writeFileSync(join(workDirectory, 'evidence.json'), JSON.stringify(evidence));
    return {
      kills: options.kills,
      ...findings,
      seed,
      power_cuts: cuts.count,
      unsynced_bytes: cuts.unsyncedBytes,
      webhooks: double.attempts().length,
      accepted_under_kills: acceptedUnderKills,
      incidents: stored.incidents.length,
      episodes: stored.episodes.length,
      pages_accepted: pagerDuty.accepted().filter((event) => event.action === 'trigger').length,
      pager_refusals: pagerDuty.refused().length,
      integrity: stored.integrity,
      settled,
      stopped_by_itself: stoppedByItself,
    };
  } finally {
    load.finish();
    await double.stop();
    await service.kill();
    await pool.destroy();
    await pagerDuty.close();
    await prometheus.close();
  }
}

function createDouble(pool: Pool, random: Random): AlertmanagerDouble {
  return createAlertmanagerDouble({
    clock: realClock,
    random,
    post: createPostWebhook(pool),
    groupBy: GROUP_BY,
    // Alertmanager's times, shortened so that a life of a few hundred ms sees several flushes. The deadline of a
    // flush stays as it is: it is much longer than a restart, and so a flush outlives several of them.
    groupWaitMs: 60,
    groupIntervalMs: 300,
    repeatIntervalMs: 3_000,
    minFlushMs: 10_000,
    backoffMs: 60,
    maxBackoffMs: 300,
    duplicateShare: 0.15,
  });
}

type Cuts = { readonly count: number; readonly unsyncedBytes: number };

async function killRepeatedly(
  options: TortureOptions,
  deps: { service: Service; pagerDuty: MoodyPagerDuty; database: string; random: Random },
): Promise<Cuts> {
  const { service, pagerDuty, database, random } = deps;
  let count = 0;
  let unsyncedBytes = 0;
  for (let kill = 1; kill <= options.kills; kill += 1) {
    const moment = random();
    const delayMs = between(random, 0, KILL_WITHIN_MS);
    const withCut = random() < options.powerCutShare;
    const torn = random() < 0.5;
    service.spawn();
    if (options.killAtRefusedPage === true) {
      if (!(await broughtUp(service))) break;
      await untilTrigger(pagerDuty, PAGE_WITHIN_MS, 'refuse');
    }
    // One in ten dies while it starts: in the migrations, the recovery of the log, the first claims.
    else if (moment < 0.1 && kill > 1) await sleep(delayMs);
    else {
      // A service that does not come up any more is a result: the books say what it lost.
      if (!(await broughtUp(service))) break;
      if (moment < 0.4) await untilTrigger(pagerDuty, delayMs, moment < 0.25 ? 'accept' : 'dice');
      else await sleep(delayMs);
    }
    await service.kill();
    pagerDuty.setAmbush(null);
    if (withCut) {
      count += 1;
      unsyncedBytes += cutPower(database, random, torn).unsyncedBytes;
    }
    if (kill % 10 === 0) options.onProgress(`${kill} of ${options.kills} kills, ${count} with a power cut`);
  }
  return { count, unsyncedBytes };
}

/** A process that is not ready in time is ended, or the next one would meet it on the same database. */
async function broughtUp(service: Service): Promise<boolean> {
  if (await service.untilReady()) return true;
  await service.kill();
  return false;
}

/**
 * Resolves when the pager has read a trigger whose sender will die before it hears the answer: accepted or
 * not. After `withinMs` without one it resolves all the same.
 */
async function untilTrigger(
  pagerDuty: MoodyPagerDuty,
  withinMs: number,
  decision: 'accept' | 'refuse' | 'dice',
): Promise<void> {
  const met = new Promise<void>((resolve) => {
    pagerDuty.setAmbush((accept, refuse) => {
      if (decision === 'accept') accept();
      if (decision === 'refuse') refuse();
      resolve();
    });
  });
  await Promise.race([met, sleep(withinMs)]);
}

function readOrNothing(database: string): StoredState {
  try {
    return readDatabase(database);
  } catch {
    return NOTHING_STORED;
  }
}

/** Waits until Alertmanager has nothing left to say and the service nothing left to do. */
async function settle(database: string, double: AlertmanagerDouble, withinMs: number): Promise<boolean> {
  const giveUpAtMs = realClock.monotonic() + withinMs;
  while (realClock.monotonic() < giveUpAtMs) {
    if (double.isQuiet() && countUnfinished(database) === 0) return true;
    await sleep(200);
  }
  return false;
}
