/** The truth that Alertmanager's webhook does not tell, from the real one: silences, inhibition, lost resolves, cut groups. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { type App, buildApp } from '../../src/app.js';
import { readConfig } from '../../src/config/config.js';
import type { IncidentView } from '../../src/domain/incident-view.js';
import { createLogger } from '../../src/log/logger.js';
import { freePort, type Launched } from '../../src/prometheus/launch.js';
import { runCli } from '../cli/run-cli.js';
import { type FakePagerDuty, startFakePagerDuty } from '../support/fake-pagerduty.js';
import { startAlertmanager, withoutAlertmanager } from '../support/real-alertmanager.js';

const ROUTING_KEY = 'e2e00000000000000000000000000000';
const POLL_MS = 100;
const WITHIN_MS = 15_000;

let alertmanager: Launched;
let app: App;
let url: string;
let pager: FakePagerDuty;
let configYaml: string;
let alertmanagerPort: number;
const directory = mkdtempSync(join(tmpdir(), 'wakewell-truth-'));

async function api(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST') {
  const response = await fetch(`${alertmanager.url}/api/v2/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status} ${await response.text()}`);
  return response.text();
}

type Labels = Readonly<Record<string, string>>;

/** As Prometheus does: with an end that lies ahead while it fires. */
const fire = (...alerts: readonly Labels[]) =>
  api(
    'alerts',
    alerts.map((labels) => ({ labels, endsAt: new Date(Date.now() + 120_000).toISOString() })),
  );

/** Sends an alert again and again, each time good for three seconds. Returns what ends that. */
function keepFiring(labels: Labels): () => void {
  const send = () =>
    void api('alerts', [{ labels, endsAt: new Date(Date.now() + 3000).toISOString() }]).catch(() => {});
  send();
  const timer = setInterval(send, 500);
  return () => clearInterval(timer);
}

async function silence(model: string): Promise<string> {
  const answer = await api('silences', {
    matchers: [{ name: 'model', value: model, isRegex: false }],
    startsAt: new Date().toISOString(),
    endsAt: new Date(Date.now() + 600_000).toISOString(),
    createdBy: 'mia',
    comment: 'draining',
  });
  return (JSON.parse(answer) as { silenceID: string }).silenceID;
}

async function until<T>(what: string, ready: () => Promise<T | null | false>): Promise<T> {
  const giveUpAt = performance.now() + WITHIN_MS;
  for (;;) {
    const value = await ready();
    if (value !== null && value !== false) return value;
    if (performance.now() > giveUpAt) throw new Error(`not within ${WITHIN_MS / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The incident of a model, once it is as wanted. */
function incidentOf(model: string, what: string, ready: (view: IncidentView) => boolean) {
  return until(`${model}: ${what}`, async () => {
    for (let id = 1; ; id += 1) {
      const view = await app.readView(id);
      if (view === null) return null;
      if (view.incident.scope.model === model && ready(view)) return view;
    }
  });
}

const anAlert = (model: string, severity: string, more: Labels = {}): Labels => ({
  alertname: 'LLMHighTTFT',
  cluster: 'prod-us',
  namespace: 'serving',
  model,
  severity,
  ...more,
});
const texts = (view: IncidentView) => view.timeline.map((entry) => `${entry.kind}: ${entry.text}`);

describe.skipIf(withoutAlertmanager)('with the real Alertmanager', () => {
  beforeAll(async () => {
    pager = await startFakePagerDuty({ routingKeys: [ROUTING_KEY] });
    const port = await freePort();
    alertmanagerPort = await freePort();
    configYaml = stringify({
      route: {
        receiver: 'wakewell',
        group_by: ['model'],
        group_wait: '200ms',
        group_interval: '1s',
        repeat_interval: '1h',
      },
      receivers: [
        {
          name: 'wakewell',
          webhook_configs: [{ url: `http://127.0.0.1:${port}/api/v1/alertmanager`, max_alerts: 2 }],
        },
      ],
      inhibit_rules: [
        {
          source_matchers: ['severity="critical"'],
          target_matchers: ['severity="warning"'],
          equal: ['model'],
        },
      ],
    });
    alertmanager = await startAlertmanager({ configYaml, port: alertmanagerPort });
    const read = readConfig({
      yamlText: JSON.stringify({
        port,
        database_url: `file:${join(directory, 'truth.db')}`,
        // A comparison a second, and five until a restarted Alertmanager is believed.
        time_scale: 60,
        alertmanager: { url: alertmanager.url },
        receivers: [{ name: 'pager', kind: 'pagerduty', routing_key: ROUTING_KEY, events_url: pager.url }],
      }),
      env: {},
    });
    if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
    app = await buildApp(read.config, { logger: createLogger({ level: 'silent' }) });
    url = (await app.start()).url;
  });

  afterAll(async () => {
    await app?.stop();
    await alertmanager?.close();
    await pager?.close();
    rmSync(directory, { recursive: true, force: true });
    pager?.expectNoUnexpected();
  });

  test('a silence is named, and its end pages again under another key', async () => {
    const end = keepFiring(anAlert('silenced', 'critical'));
    onTestFinished(end);
    await until('the page', async () => pager.incidents().length === 1);
    const id = await silence('silenced');

    const quiet = await incidentOf('silenced', 'silenced', (view) => view.incident.silence !== null);
    expect(quiet.incident.silence).toMatchObject({ by: 'mia', comment: 'draining' });

    await api(`silence/${id}`, undefined, 'DELETE');
    const again = await incidentOf('silenced', 'second episode', (view) => view.episode.number === 2);
    expect(again.episode.because).toBe('silence by mia ended');
    await until('the second page', async () => pager.incidents().length === 2);
    const [first, second] = pager.incidents();
    expect(first?.state).toBe('resolved');
    expect(second).toMatchObject({ state: 'triggered', triggers: 1 });
    expect(second?.summary).toContain('Silence by mia ended');

    // A silenced alert that resolves is told by nobody: Alertmanager sends no resolve of it.
    await silence('silenced');
    await incidentOf('silenced', 'silenced again', (view) => view.incident.silence !== null);
    end();
    const over = await incidentOf('silenced', 'closed', (view) => view.incident.state === 'resolved');
    expect(texts(over)).toContain(
      'resolve_reconciled: Found by reconciling: gone from Alertmanager in two complete reads, and its resolve never arrived',
    );
    await until('the page is closed', async () => pager.incidents()[1]?.state === 'resolved');
    expect(pager.incidents()).toHaveLength(2);
  });

  test('an inhibited alert is noted with what inhibits it', async () => {
    await fire(anAlert('inhibited', 'warning'));
    await incidentOf('inhibited', 'opened', () => true);
    await fire(anAlert('inhibited', 'critical'));

    const noted = await incidentOf('inhibited', 'noted', (view) =>
      view.timeline.some((entry) => entry.kind === 'inhibited'),
    );
    expect(texts(noted)).toContain(
      'inhibited: LLMHighTTFT held back in Alertmanager: inhibited by LLMHighTTFT (critical)',
    );
  });

  test('a group that max_alerts cut off is completed', async () => {
    const workers = ['a', 'b', 'c', 'd', 'e'].map((instance) =>
      anAlert('truncated', 'warning', { instance }),
    );
    await fire(...workers);

    const whole = await incidentOf('truncated', 'completed', (view) => view.alertCount === 5);
    expect(texts(whole).join('\n')).toMatch(
      /reconciled: Found by reconciling: left out of a delivery that was cut off/,
    );
    expect(whole.firingCount).toBe(5);
  });

  test('a silence that a person asks for here is one of Alertmanager', async () => {
    await fire(
      anAlert('asked', 'warning', { instance: 'a' }),
      anAlert('asked', 'warning', { instance: 'b' }),
    );
    const { incident } = await incidentOf('asked', 'opened', (view) => view.alertCount === 2);

    const asked = await runCli(
      ['incidents', 'silence', String(incident.id), '--for', '1h', '-m', 'it\'s "me"'],
      {
        WAKEWELL_URL: url,
      },
    );

    expect(asked.stderr).toBe('');
    expect(asked.stdout).toMatch(
      /^INC-\d+: silenced until .* UTC: \{alertname="LLMHighTTFT", cluster="prod-us", model="asked", namespace="serving", severity="warning"\}\n/,
    );
    const held = JSON.parse(await api('alerts?filter=model%3D%22asked%22')) as {
      status: { state: string };
    }[];
    expect(held.map(({ status }) => status.state)).toEqual(['suppressed', 'suppressed']);
    const { incident: quiet } = await incidentOf(
      'asked',
      'silenced',
      (view) => view.incident.silence !== null,
    );
    expect(quiet.silence?.comment).toBe(`it's "me" (INC-${incident.id})`);
  });

  test('an empty list after a restart proves nothing', async () => {
    const alert = anAlert('restarted', 'critical');
    await fire(alert);
    await incidentOf('restarted', 'opened', (view) => view.incident.state === 'open');
    const pages = pager.events().length;

    await alertmanager.close();
    alertmanager = await startAlertmanager({ configYaml, port: alertmanagerPort });
    expect(JSON.parse(await api('alerts'))).toEqual([]);
    // Three comparisons with an empty list, before Prometheus sends it again.
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    await fire(alert);
    await new Promise((resolve) => setTimeout(resolve, 4_000));

    const view = await incidentOf('restarted', 'still there', () => true);
    expect(view.incident.state).toBe('open');
    expect(view.incident.reopenedCount).toBe(0);
    expect(pager.events().filter(({ action }) => action === 'trigger').length).toBeLessThanOrEqual(pages);
  });
});
