/**
 * The whole service with secrets that are told apart from everything else, at its most talkative, through
 * success and every kind of failure, with providers that echo what they were sent. Afterwards none of the
 * secrets stands in a log line, a row, the bytes of the database, a metric, an answer or a page.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { buildApp } from '../../src/app.js';
import { readConfig } from '../../src/config/config.js';
import { labelsFrom } from '../../src/domain/labels.js';
import { createLogger } from '../../src/log/logger.js';
import { webhookBody } from '../../src/simulator/webhook-body.js';
import { startFakePagerDuty } from '../support/fake-pagerduty.js';
import { startFakePrometheus } from '../support/fake-prometheus.js';
import { startFakeSlack } from '../support/fake-slack.js';
import { startFakeWebhook } from '../support/fake-webhook.js';
import type { Failure } from '../support/http-fake.js';
import { temporaryDatabaseFile } from '../support/test-database.js';

const SECRETS = {
  routingKey: 'MARKERroutingkey0123456789abcdef',
  botToken: 'xoxb-MARKER-bot-token',
  signingSecret: 'MARKERsigning0123456789abcdef012',
  urlToken: 'MARKER-token-in-a-url',
  hookSecret: 'MARKER-hook-secret-0123456789',
  webhookToken: 'MARKER-webhook-token-0123456789',
  apiToken: 'MARKER-api-token-0123456789abcd',
  prometheusPassword: 'MARKER-prometheus-password',
};

/** A provider fails in every way, and answers with what it was sent. */
const failuresOf = (echo: string): Failure[] => [
  ...[400, 401, 403, 404, 429, 500, 503].map((status): Failure => ({ kind: 'status', status, body: echo })),
  { kind: 'status', status: 200, body: `{"ok":false,"error":"${echo}"}` },
  { kind: 'status', status: 302, headers: { location: `http://127.0.0.1:1/${echo}` } },
  { kind: 'close' },
];

test('no secret stands anywhere after success and every failure', { timeout: 60_000 }, async () => {
  const pager = await startFakePagerDuty();
  const slack = await startFakeSlack({ token: SECRETS.botToken });
  const hook = await startFakeWebhook();
  const prometheus = await startFakePrometheus(() => ({
    kind: 'text',
    body: SECRETS.prometheusPassword,
    status: 500,
  }));
  const file = temporaryDatabaseFile();
  const read = readConfig({
    yamlText: JSON.stringify({
      port: 0,
      log_level: 'debug',
      database_url: `file:${file}`,
      public_url: 'https://wakewell.example',
      prometheus: {
        url: prometheus.url,
        basic_auth: { username: 'wakewell', password: SECRETS.prometheusPassword },
      },
      receivers: [
        { name: 'pager', kind: 'pagerduty', routing_key: SECRETS.routingKey, events_url: pager.url },
        {
          name: 'slack',
          kind: 'slack',
          bot_token: SECRETS.botToken,
          channel: 'C0INCIDENTS',
          api_url: slack.url.replace(/\/$/, ''),
          signing_secret: SECRETS.signingSecret,
        },
        { name: 'hook', kind: 'webhook', url: `${hook.url}/${SECRETS.urlToken}`, secret: SECRETS.hookSecret },
      ],
      tokens: {
        webhook: [{ name: 'alertmanager', token: SECRETS.webhookToken }],
        api: [{ name: 'ops', token: SECRETS.apiToken }],
      },
      timings: { page_deadline: '200ms' },
    }),
    env: {},
  });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
  const said: string[] = [JSON.stringify(read.config)];
  const app = await buildApp(read.config, {
    logger: createLogger({ level: 'debug', destination: { write: (line) => void said.push(line) } }),
  });
  let isStopped = false;
  onTestFinished(async () => {
    if (!isStopped) await app.stop();
    for (const one of [pager, slack, hook, prometheus]) await one.close();
  });
  const { url } = await app.start();

  async function ask(path: string, token: string | null, init: RequestInit = {}): Promise<void> {
    const headers = { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...init.headers };
    const response = await fetch(`${url}${path}`, { ...init, headers });
    said.push(`${path}: ${JSON.stringify([...response.headers])}${await response.text()}`);
  }
  async function fire(model: string): Promise<void> {
    const labels = labelsFrom([
      ['alertname', 'LLMHighTTFT'],
      ['severity', 'critical'],
      ['model', model],
    ]);
    const alert = { labels, annotations: labelsFrom([]), startedAtMs: Date.now(), endedAtMs: null };
    const body = JSON.stringify(webhookBody(labels, [alert]));
    await ask('/api/v1/alertmanager', SECRETS.webhookToken, { method: 'POST', body });
    await ask('/api/v1/alertmanager', `${SECRETS.webhookToken}x`, { method: 'POST', body });
  }

  await fire('model-0');
  const doubles = [
    { double: pager, failures: failuresOf(SECRETS.routingKey) },
    { double: slack, failures: failuresOf(SECRETS.botToken) },
    { double: hook, failures: failuresOf(`${SECRETS.urlToken} ${SECRETS.hookSecret}`) },
  ];
  const rounds = failuresOf('').length;
  for (let round = 0; round < rounds; round++) {
    for (const { double, failures } of doubles) double.failNext(failures[round] ?? { kind: 'close' }, 3);
    await fire(`model-${round + 1}`);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  for (const one of [pager, slack, hook]) one.heal();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const paths = [
    '/',
    '/incidents',
    '/i/1',
    '/i/3',
    '/outbox',
    '/playbooks',
    '/stats',
    '/metrics',
    '/readyz',
    '/nowhere',
    '/api/v1/incidents',
    '/api/v1/incidents/1',
    '/api/v1/incidents/1/timeline',
    '/api/v1/incidents/1/diagnoses',
    '/api/v1/incidents/x',
  ];
  for (const path of paths) {
    await ask(path, SECRETS.apiToken);
    await ask(path, SECRETS.apiToken, { headers: { accept: 'text/html' } });
    await ask(path, `${SECRETS.apiToken}x`);
  }
  await ask('/api/v1/incidents/1/acknowledge', SECRETS.apiToken, { method: 'POST', body: '{' });
  await ask('/slack/interactions', null, {
    method: 'POST',
    body: 'payload=x',
    headers: { 'x-slack-signature': 'v0=00' },
  });
  // The files while the service has them open, then after it closed them.
  const bytes = () =>
    readdirSync(dirname(file))
      .map((name) => readFileSync(join(dirname(file), name)).toString('latin1'))
      .join();
  said.push(bytes());
  await app.stop();
  isStopped = true;
  said.push(bytes());
  const db = new BetterSqlite3(file, { readonly: true });
  const tables = db
    .prepare<[], { name: string }>("select name from sqlite_schema where type = 'table'")
    .all();
  for (const { name } of tables) said.push(JSON.stringify(db.prepare(`select * from "${name}"`).all()));
  db.close();

  // It looked where things are said: there were failures, and they were told.
  const all = said.join('\n');
  expect(all).toContain('HTTP 403');
  expect(all).toContain('message set aside');
  expect(pager.requests().length).toBeGreaterThan(rounds);
  for (const [name, secret] of Object.entries(SECRETS)) {
    const at = all.indexOf(secret);
    expect(at < 0 ? null : `${name}: …${all.slice(Math.max(0, at - 120), at + 60)}`, name).toBeNull();
  }
});
