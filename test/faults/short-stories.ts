/** Two stories that need a database on disk: another process locks it, and the scheduled jobs come round. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import type { buildApp } from '../../src/app.js';
import { readConfig } from '../../src/config/config.js';
import { DAY, HOUR, SECOND } from '../../src/domain/clock.js';
import type { startHousekeeping } from '../../src/jobs/housekeeping.js';
import { createLogger } from '../../src/log/logger.js';
import type { openDatabase } from '../../src/store/database.js';
import { createManualClock } from '../support/manual-clock.js';
import { createScriptedSource } from '../support/scripted-source.js';
import type { Catch } from './story.js';
import { createStoryWorld, EVENTS_URL, KEYS } from './story-world.js';

const START_MS = Date.UTC(2026, 10, 22, 3, 0, 0);
const logger = createLogger({ level: 'silent' });

/** A critical that cannot be committed must be paged all the same. */
export async function tellOfTheLock(build: typeof buildApp): Promise<Catch | null> {
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-lock-'));
  const file = join(directory, 'wakewell.db');
  const clock = createManualClock({ nowMs: START_MS });
  const world = createStoryWorld(() => clock.now() - START_MS);
  const read = readConfig({
    yamlText: JSON.stringify({
      port: 0,
      database_url: `file:${file}`,
      receivers: [{ name: 'oncall', kind: 'pagerduty', routing_key: KEYS.oncall, events_url: EVENTS_URL }],
    }),
    env: {},
  });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
  const app = await build(read.config, {
    clock,
    random: () => 0.5,
    source: createScriptedSource({}),
    logger,
    fetch: world.fetch,
  });
  const { url } = await app.start();
  const other = new BetterSqlite3(file);
  try {
    other.exec('begin immediate');
    const labels = { alertname: 'LLMHighTTFT', severity: 'critical', cluster: 'prod', model: 'm-locked' };
    const answered = fetch(`${url}/api/v1/alertmanager`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        version: '4',
        groupKey: '{}',
        status: 'firing',
        alerts: [{ status: 'firing', labels, annotations: {}, startsAt: new Date(START_MS).toISOString() }],
      }),
    });
    let isAnswered = false;
    void answered.then(() => {
      isAnswered = true;
    });
    while (!isAnswered && clock.now() - START_MS < 30 * SECOND) {
      await clock.advance(SECOND);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    other.exec('rollback');
    const isPaged = world.pages('oncall').some((one) => one.names('m-locked'));
    return isPaged
      ? null
      : { by: 'locked: a critical that cannot be committed', atMs: clock.now() - START_MS };
  } finally {
    other.close();
    const stopping = app.stop();
    for (let i = 0; i < 15; i += 1) await clock.advance(SECOND);
    await stopping;
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What a scheduled job is there for must be found after it has run. */
export async function tellOfTheJobs(build: {
  readonly openDatabase: typeof openDatabase;
  readonly startHousekeeping: typeof startHousekeeping;
}): Promise<Catch | null> {
  const directory = mkdtempSync(join(tmpdir(), 'wakewell-jobs-'));
  const clock = createManualClock({ nowMs: START_MS });
  const db = build.openDatabase(`file:${join(directory, 'wakewell.db')}`, { clock });
  const read = readConfig({
    yamlText: JSON.stringify({ backup: { directory: join(directory, 'backups') } }),
    env: {},
  });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
  const turns: (() => unknown)[] = [];
  const jobs = build.startHousekeeping({
    ...{ db, config: read.config, clock, logger },
    troubles: { say: () => {}, list: () => [] } as never,
    keepHealth: async () => ({}),
    cron: {
      schedule(_expression, turn) {
        turns.push(turn);
        return { msToNext: () => HOUR, destroy: () => {} };
      },
    },
    metrics: { jobRan: () => {}, jobMissed: () => {} },
  });
  try {
    const receivedAtMs = START_MS - 30 * DAY;
    await db.transaction((tx) =>
      tx
        .insertInto('receipts')
        .values({
          ...{ source: 'am', kind: 'group', group_key: null, truncated_alerts: 0 },
          ...{ alert_count: 0, quarantined_count: 0, received_at: receivedAtMs, body: Buffer.from('{}') },
        })
        .execute(),
    );
    let done = false;
    const running = Promise.all(turns.map((turn) => turn())).finally(() => {
      done = true;
    });
    while (!done) {
      await clock.advance(SECOND);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await running;
    const left = await db.kysely.selectFrom('receipts').selectAll().execute();
    if (left.length > 0) return { by: 'jobs: an old receipt is deleted', atMs: 0 };
    const backups = readdirSync(directory).includes('backups') ? readdirSync(join(directory, 'backups')) : [];
    return backups.length > 0 ? null : { by: 'jobs: a backup lies there', atMs: 0 };
  } finally {
    await jobs.stop();
    await db.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
