/** Rows B4, B46 and B54 of the fault matrix, on the built service: killed while the pager reads, stopped, and restored. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildDist, REPOSITORY } from '../../bench/torture/build-dist.js';
import { realClock, sleep } from '../../bench/torture/real-clock.js';
import { createService } from '../../bench/torture/service.js';
import { serviceEnv, WEBHOOK_TOKEN } from '../../bench/torture/service-settings.js';
import { groupBody } from '../corpus/corpus.js';
import { startFakePagerDuty } from '../support/fake-pagerduty.js';

const home = join(REPOSITORY, '.wakewell', `faults-test-${process.pid}`);
let dist = '';

beforeAll(() => {
  dist = buildDist(join(home, 'build'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function setUp(name: string) {
  const workDirectory = join(home, name);
  mkdirSync(workDirectory, { recursive: true });
  const pagerDuty = await startFakePagerDuty();
  const service = await createService({
    distDirectory: dist,
    workDirectory,
    logFile: join(workDirectory, 'service.log'),
    clock: realClock,
    env: serviceEnv({
      workDirectory,
      database: join(workDirectory, 'wakewell.db'),
      prometheusUrl: 'http://127.0.0.1:9',
      pagerDutyUrl: pagerDuty.url,
    }),
  });
  onTestFinished(async () => {
    await service.kill();
    await pagerDuty.close();
  });
  service.spawn();
  expect(await service.untilReady()).toBe(true);
  const startsAt = new Date().toISOString();
  /** What Alertmanager sends, and sends again, for one model. */
  async function fire(model: string): Promise<void> {
    const labels = { alertname: 'LLMHighTTFT', severity: 'critical', cluster: `prod-${model}`, model };
    const fired = await fetch(`${service.url}/api/v1/alertmanager`, {
      method: 'POST',
      headers: { authorization: `Bearer ${WEBHOOK_TOKEN}` },
      body: groupBody([JSON.stringify({ status: 'firing', labels, startsAt })]),
    });
    expect(fired.status).toBe(200);
  }
  await fire('llama-70b');
  const command = (...args: string[]) =>
    execFileSync(process.execPath, [join(dist, 'main.js'), ...args], {
      env: {
        WAKEWELL_CONFIG: '',
        PATH: process.env.PATH ?? '',
        DATABASE_URL: `file:${join(workDirectory, 'wakewell.db')}`,
      },
      cwd: home,
      encoding: 'utf8',
    });
  return { service, pagerDuty, fire, command, workDirectory };
}

async function until(withinMs: number, condition: () => boolean): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    if (condition()) return true;
    await sleep(10);
  }
  return false;
}

test('B4: killed when the pager has read the page, it is sent again under the same key, and nobody is woken twice', async () => {
  const { service, pagerDuty } = await setUp('b4');
  pagerDuty.failNext({ kind: 'hang', processed: true });
  expect(await until(15_000, () => pagerDuty.requests().length > 0)).toBe(true);
  await service.kill();

  service.spawn();
  const startedAt = performance.now();
  expect(await until(20_000, () => pagerDuty.events().length > 1)).toBe(true);

  expect(performance.now() - startedAt).toBeLessThan(15_000);
  expect(new Set(pagerDuty.events().map(({ dedupKey }) => dedupKey)).size).toBe(1);
  expect(pagerDuty.incidents()).toHaveLength(1);
}, 90_000);

test('B46: asked to stop while the pager does not answer, it ends with 0 within 10 s, and the next process pages', async () => {
  const { service, pagerDuty } = await setUp('b46');
  pagerDuty.failNext({ kind: 'hang' });
  expect(await until(15_000, () => pagerDuty.requests().length > 0)).toBe(true);

  const askedAt = performance.now();
  service.signal('SIGTERM');
  await sleep(200);
  service.signal('SIGTERM');
  const exit = await service.untilExit();

  expect(performance.now() - askedAt).toBeLessThan(11_000);
  // The second signal may end it after 5 s; nothing is lost then either.
  expect([0, 1]).toContain(exit.code);
  service.spawn();
  expect(await until(20_000, () => pagerDuty.events().length > 0)).toBe(true);
  expect(pagerDuty.incidents()).toHaveLength(1);
}, 90_000);

test('B46: asked to stop with nothing under way, it ends with 0 and everything stands in one file', async () => {
  const { service, pagerDuty } = await setUp('idle');
  expect(await until(15_000, () => pagerDuty.events().length > 0)).toBe(true);
  const askedAt = performance.now();
  service.signal('SIGTERM');

  expect(await service.untilExit()).toEqual({ code: 0, signal: null });
  expect(performance.now() - askedAt).toBeLessThan(10_000);
}, 60_000);

test('B54: a restored backup wakes nobody again and misses nobody once Alertmanager has sent its state again', async () => {
  const { service, pagerDuty, fire, command, workDirectory } = await setUp('restore');
  expect(await until(15_000, () => pagerDuty.incidents().length === 1)).toBe(true);
  const backup = join(workDirectory, 'safe.db');
  command('backup', backup);
  await fire('qwen-32b');
  expect(await until(15_000, () => pagerDuty.incidents().length === 2)).toBe(true);
  await service.stop();
  command('restore', backup, '--force');

  service.spawn();
  expect(await service.untilReady()).toBe(true);
  for (const model of ['llama-70b', 'qwen-32b', 'mixtral']) await fire(model);
  expect(await until(15_000, () => pagerDuty.incidents().length === 3)).toBe(true);
  await sleep(3_000);

  expect(pagerDuty.incidents()).toHaveLength(3);
  expect(new Set(pagerDuty.events().map(({ dedupKey }) => dedupKey)).size).toBe(3);
}, 120_000);
