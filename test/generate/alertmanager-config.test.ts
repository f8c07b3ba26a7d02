import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ALERTS } from '../../src/catalog/alerts.js';
import { alertmanagerConfig, INHIBITIONS } from '../../src/generate/alertmanager-config.js';
import { prometheusConfig } from '../../src/generate/prometheus-config.js';
import { findBinary } from '../../src/prometheus/launch.js';
import { runCli } from '../cli/run-cli.js';
import { startAlertmanager, withoutAlertmanager } from '../support/real-alertmanager.js';

/** With CI=true its absence is a failure. */
const withoutAmtool = findBinary(['amtool'], process.env.PATH ?? '') === null && process.env.CI !== 'true';

const LABELS = { cluster: 'prod', namespace: 'serving', model: 'm' };

test('Prometheus is told where everything is', () => {
  const config = parse(
    prometheusConfig({
      targets: [{ address: '127.0.0.1:1', path: '/w0/metrics', labels: { ...LABELS, pod: 'w0' } }],
      rulesFile: 'rules.yml',
      alertmanagerAddress: '127.0.0.1:2',
      scrapeIntervalMs: 750,
      evaluationIntervalMs: 1500,
    }),
  );

  expect(config.global).toEqual({
    scrape_interval: '750ms',
    scrape_timeout: '750ms',
    evaluation_interval: '1500ms',
  });
  expect(config.rule_files).toEqual(['rules.yml']);
  expect(config.alerting.alertmanagers[0].static_configs[0].targets).toEqual(['127.0.0.1:2']);
  expect(config.scrape_configs[0]).toMatchObject({
    honor_labels: true,
    static_configs: [{ targets: ['127.0.0.1:1'], labels: { pod: 'w0', __metrics_path__: '/w0/metrics' } }],
  });
});

test.skipIf(withoutAmtool)('amtool accepts what the command prints', async () => {
  for (const args of [[], ['--token-file', '/run/token']]) {
    const { stdout, status } = await runCli(['alertmanager-config', ...args]);
    expect(status).toBe(0);
    const file = join(mkdtempSync(join(tmpdir(), 'wakewell-am-')), 'alertmanager.yml');
    writeFileSync(file, stdout);
    const { stdout: said } = await promisify(execFile)('amtool', ['check-config', file]);
    expect(said).toContain(`${INHIBITIONS.length} inhibit rules`);
    expect(said).toContain('2 receivers');
    rmSync(dirname(file), { recursive: true });
  }
});

test('the operator’s resource says the same, with its secrets by name', async () => {
  const { stdout } = await runCli(['alertmanager-config', '--format', 'kubernetes']);
  const resource = parse(stdout);

  expect(resource).toMatchObject({ kind: 'AlertmanagerConfig', metadata: { name: 'wakewell' } });
  expect(resource.spec.receivers[1].pagerdutyConfigs[0].routingKey).toEqual({
    name: 'wakewell',
    key: 'pagerduty-routing-key',
  });
  expect(resource.spec.inhibitRules).toHaveLength(INHIBITIONS.length);
});

describe.skipIf(withoutAlertmanager)('a real Alertmanager with the generated configuration', () => {
  test('groups by scope, authenticates, sends resolved, and lets critical inhibit warning of the same place', async () => {
    const bodies: { alerts: { status: string; labels: Record<string, string> }[]; groupKey: string }[] = [];
    const credentials = new Set<string | undefined>();
    const webhook = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      credentials.add(request.headers.authorization);
      bodies.push(JSON.parse(text));
      response.end();
    });
    await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
    const alertmanager = await startAlertmanager({
      configYaml: alertmanagerConfig({
        webhookUrl: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`,
        bearerToken: 'secret-token',
        groupWaitMs: 200,
        groupIntervalMs: 300,
        repeatIntervalMs: 60_000,
      }),
    });
    const alert = (alertname: string, severity: string, model: string, endsAt?: string) => ({
      labels: { alertname, severity, ...LABELS, model },
      ...(endsAt === undefined ? {} : { endsAt }),
    });
    const send = (alerts: unknown[]) =>
      fetch(`${alertmanager.url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts),
      });
    const seen = () =>
      bodies.flatMap((body) =>
        body.alerts.map(
          ({ status, labels }) => `${labels.alertname} ${labels.severity} ${labels.model} ${status}`,
        ),
      );

    // The one that inhibits has to be known first.
    await send([alert('LLMKVCachePressure', 'critical', 'm')]);
    await send([
      alert('LLMKVCachePressure', 'warning', 'm'),
      alert('LLMKVCachePressure', 'warning', 'other'),
    ]);
    await until(() => seen().length >= 2);
    await send([alert('LLMKVCachePressure', 'critical', 'm', new Date().toISOString())]);
    await until(() => seen().some((line) => line.endsWith('resolved')));

    expect(seen()).toContain('LLMKVCachePressure critical m firing');
    expect(seen()).toContain('LLMKVCachePressure warning other firing');
    expect(seen()).toContain('LLMKVCachePressure critical m resolved');
    const first = bodies.find((body) => body.groupKey.includes('model="m"'));
    expect(first?.alerts.map((one) => one.labels.severity)).toEqual(['critical']);
    expect([...credentials]).toEqual(['Bearer secret-token']);
    await alertmanager.close();
    await new Promise((resolve) => webhook.close(resolve));
  }, 60_000);

  test('each graver alert silences its milder levels where it fires, and nowhere else', async () => {
    const delivered: string[] = [];
    const webhook = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      for (const { labels } of JSON.parse(text).alerts) delivered.push(`${labels.alertname} ${labels.model}`);
      response.end();
    });
    await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
    const alertmanager = await startAlertmanager({
      configYaml: alertmanagerConfig({
        webhookUrl: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`,
        groupWaitMs: 1000,
        groupIntervalMs: 1000,
        repeatIntervalMs: 60_000,
      }),
    });
    const severityOf = (name: string) => ALERTS.find((alert) => alert.name === name)?.severity ?? 'none';
    const pairs = ALERTS.flatMap(({ name, inhibitedBy }) =>
      (inhibitedBy ?? []).map((graver) => ({ graver, milder: name })),
    );
    const alert = (alertname: string, model: string) => ({
      labels: { alertname, severity: severityOf(alertname), ...LABELS, model },
    });
    const sent = [
      ...pairs.map(({ graver }, index) => alert(graver, `both-${index}`)),
      ...pairs.map(({ milder }, index) => alert(milder, `both-${index}`)),
      ...pairs.map(({ milder }, index) => alert(milder, `alone-${index}`)),
    ];
    await fetch(`${alertmanager.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(sent),
    });

    const expected = pairs.flatMap(({ graver, milder }, index) => [
      `${graver} both-${index}`,
      `${milder} alone-${index}`,
    ]);
    await until(() => expected.every((line) => delivered.includes(line)));
    expect([...new Set(delivered)].sort()).toEqual(expected.sort());
    await alertmanager.close();
    await new Promise((resolve) => webhook.close(resolve));
  }, 60_000);

  test('what says that we are down goes to the pager and not to us, the Watchdog to us alone', async () => {
    const calls: string[] = [];
    const peer = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      const body = JSON.parse(text);
      const names = body.alerts?.map((one: { labels: Record<string, string> }) => one.labels.alertname);
      calls.push(`${request.url} ${names?.join() ?? body.event_action}`);
      response.writeHead(request.url === '/pager' ? 202 : 200, { 'content-type': 'application/json' });
      response.end('{"status":"success"}');
    });
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(peer.address() as AddressInfo).port}`;
    const configYaml = alertmanagerConfig({
      webhookUrl: `${url}/webhook`,
      groupWaitMs: 200,
      groupIntervalMs: 500,
      repeatIntervalMs: 60_000,
      pagerRoutingKey: 'k'.repeat(32),
    });
    // PagerDuty's address is Alertmanager's own default: only here it is ours.
    const alertmanager = await startAlertmanager({
      configYaml: `global:\n  pagerduty_url: ${url}/pager\n${configYaml}`,
    });
    const alert = (alertname: string, severity: string) => ({ labels: { alertname, severity } });
    await fetch(`${alertmanager.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([
        alert('WakewellDown', 'critical'),
        alert('Watchdog', 'none'),
        { labels: { ...LABELS, alertname: 'LLMStalled', severity: 'critical' } },
      ]),
    });

    const expected = ['/pager trigger', '/webhook LLMStalled', '/webhook Watchdog'];
    await until(() => expected.every((line) => calls.includes(line)));
    expect([...new Set(calls)].sort()).toEqual(expected);
    await alertmanager.close();
    await new Promise((resolve) => peer.close(resolve));
  }, 60_000);
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited 30 s in vain');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
