/**
 * npm run bench:slack [-- --presses 300]
 *
 * From a signed press on Acknowledge to Slack's answer, which is given after the commit: with nothing else to do,
 * and while the webhook takes a storm. The built service in its own process on a database on disk; every press is of
 * an incident of its own, and all must be recorded. One JSON line last; exit 1 above the promised 500 ms.
 */

import { createHmac } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';
import { REPOSITORY } from './torture/build-dist.js';
import { realClock, sleep } from './torture/real-clock.js';
import { createService } from './torture/service.js';

const PROMISED_MS = 500;
const SECRET = 'bench-signing-secret-0123456789';
/** The storm: 10,000 alerts a minute, in bodies of 50, for as long as presses are measured. */
const STORM_ALERTS = 50;
const STORM_EVERY_MS = 300;
const STORM_CONNECTIONS = 2;
const PRESS_CONNECTIONS = 4;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { presses: { type: 'string', default: '300' } } });
  const presses = Number(values.presses);
  const home = join(REPOSITORY, '.wakewell', `slack-${process.pid}`);
  mkdirSync(home, { recursive: true });
  const cleanups: (() => unknown)[] = [() => rmSync(home, { recursive: true, force: true })];
  try {
    const slack = await startSlack();
    cleanups.push(slack.close);
    const service = await createService({
      distDirectory: join(REPOSITORY, 'dist'),
      workDirectory: home,
      logFile: join(home, 'service.log'),
      clock: realClock,
      env: {
        WAKEWELL_LOG_LEVEL: 'warn',
        DATABASE_URL: `file:${join(home, 'wakewell.db')}`,
        SLACK_BOT_TOKEN: 'xoxb-bench',
        SLACK_CHANNEL: 'C0BENCH',
        SLACK_API_URL: slack.url,
        SLACK_SIGNING_SECRET: SECRET,
      },
    });
    service.spawn();
    cleanups.push(() => service.stop());
    if (!(await service.untilReady())) throw new Error('the service did not become ready');
    const pool = new Pool(service.url, { connections: PRESS_CONNECTIONS + STORM_CONNECTIONS });
    cleanups.push(() => pool.close());

    await open(pool, 3 * presses);
    await sleep(5_000);
    await pressAll(pool, 1, presses, 1);
    const quiet = await pressAll(pool, presses + 1, presses, 1);
    const storm = startStorm(pool);
    const loaded = await pressAll(pool, 2 * presses + 1, presses, PRESS_CONNECTIONS);
    const stormBodies = await storm.stop();

    const recorded = await countAcknowledged(pool);
    const result = {
      press_p50_ms: quantile(quiet, 0.5),
      press_p99_ms: quantile(quiet, 0.99),
      in_storm_p50_ms: quantile(loaded, 0.5),
      in_storm_p99_ms: quantile(loaded, 0.99),
      storm_alerts: stormBodies * STORM_ALERTS,
      presses: 3 * presses,
      recorded,
      promised_ms: PROMISED_MS,
    };
    console.log(JSON.stringify(result));
    const kept = Math.max(result.press_p99_ms, result.in_storm_p99_ms) <= PROMISED_MS;
    if (!kept || recorded !== 3 * presses) process.exitCode = 1;
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

/** A Slack that takes every message. */
async function startSlack(): Promise<{ url: string; close: () => void }> {
  let count = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      count += 1;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ ok: true, channel: 'C0BENCH', ts: `1795305061.${count}`, messages: [] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/api`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Each in a cluster of its own, so that none joins another and none is part of a storm. */
async function open(pool: Pool, incidents: number): Promise<void> {
  for (let from = 0; from < incidents; from += 100) {
    const clusters = Array.from({ length: Math.min(100, incidents - from) }, (_, i) => `c-${from + i}`);
    await postAlerts(
      pool,
      clusters.map((cluster) => ({ alertname: 'LLMQueueBuildup', severity: 'warning', cluster, model: 'm' })),
    );
  }
}

async function postAlerts(pool: Pool, labels: readonly Record<string, string>[]): Promise<void> {
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: '/api/v1/alertmanager',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      version: '4',
      groupKey: '{}:{}',
      receiver: 'wakewell',
      status: 'firing',
      alerts: labels.map((one) => ({
        status: 'firing',
        labels: one,
        annotations: {},
        startsAt: new Date().toISOString(),
      })),
    }),
  });
  await body.dump();
  if (statusCode !== 200) throw new Error(`the webhook answered ${statusCode}`);
}

/** Presses Acknowledge on incidents `from` … and returns how long each answer took, in ms. */
async function pressAll(pool: Pool, from: number, count: number, parallel: number): Promise<number[]> {
  const took: number[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const id = from + next;
      next += 1;
      const body = new URLSearchParams({
        payload: JSON.stringify({
          type: 'block_actions',
          team: { id: 'T0BENCH' },
          user: { id: 'U0BENCH', name: 'bench' },
          actions: [{ action_id: 'inc.ack', value: `ack.${id}.${id}.1.warning` }],
        }),
      }).toString();
      const time = String(Math.floor(Date.now() / 1000));
      const signature = createHmac('sha256', SECRET).update(`v0:${time}:${body}`).digest('hex');
      const startedAt = performance.now();
      const answer = await pool.request({
        method: 'POST',
        path: '/slack/interactions',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'x-slack-request-timestamp': time,
          'x-slack-signature': `v0=${signature}`,
        },
        body,
      });
      await answer.body.dump();
      took.push(performance.now() - startedAt);
      if (answer.statusCode !== 200) throw new Error(`a press was answered ${answer.statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return took;
}

/** New alerts without end, all of them in one place. */
function startStorm(pool: Pool): { stop: () => Promise<number> } {
  let stopped = false;
  let bodies = 0;
  const worker = async () => {
    while (!stopped) {
      bodies += 1;
      const labels = Array.from({ length: STORM_ALERTS }, (_, i) => ({
        alertname: 'LLMQueueBuildup',
        severity: 'warning',
        cluster: 'storm',
        model: 'm',
        pod: `p-${bodies}-${i}`,
      }));
      const startedAt = performance.now();
      await postAlerts(pool, labels);
      await sleep(Math.max(0, STORM_CONNECTIONS * STORM_EVERY_MS - (performance.now() - startedAt)));
    }
  };
  const running = Promise.all(Array.from({ length: STORM_CONNECTIONS }, worker));
  return {
    async stop() {
      stopped = true;
      await running;
      return bodies;
    },
  };
}

async function countAcknowledged(pool: Pool): Promise<number> {
  let cursor: string | null = '';
  let count = 0;
  while (cursor !== null) {
    const path: string = `/api/v1/incidents?state=acknowledged&limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const { body } = await pool.request({ method: 'GET', path });
    const page = (await body.json()) as { data: unknown[]; page: { next_cursor: string | null } };
    count += page.data.length;
    cursor = page.page.next_cursor;
  }
  return count;
}

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1);
  return Math.round((sorted[Math.max(0, at)] ?? 0) * 10) / 10;
}

await main();
