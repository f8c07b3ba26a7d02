/**
 * The whole way for real: simulated fleet → Prometheus → rules → Alertmanager → the service → doubles of
 * PagerDuty and Slack. Time is scaled, nothing else is. `close` fails on any call that nobody expected.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, buildApp, systemClock } from '../../src/app.js';
import { ALERTS } from '../../src/catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { readConfig } from '../../src/config/config.js';
import type { IncidentView } from '../../src/domain/incident-view.js';
import { generateAlertRules } from '../../src/generate/alert-rules.js';
import { alertmanagerConfig, prometheusConfig } from '../../src/generate/peer-config.js';
import { createLogger } from '../../src/log/logger.js';
import { findBinary, freePort, launchAlertmanager, launchPrometheus } from '../../src/prometheus/launch.js';
import { type Dialect, startExporterServer } from '../../src/simulator/exporter-server.js';
import { createFleet, type Fleet } from '../../src/simulator/fleet.js';
import { createFleetRunner } from '../../src/simulator/fleet-runner.js';
import { type FakePagerDuty, startFakePagerDuty } from '../support/fake-pagerduty.js';
import { type FakeSlack, startFakeSlack } from '../support/fake-slack.js';

export const ROUTING_KEY = 'e2e00000000000000000000000000000';
const TIME_SCALE = 20;
const POLL_MS = 250;

export type Harness = {
  readonly fleet: Fleet;
  readonly pager: FakePagerDuty;
  readonly slack: FakeSlack;
  readonly url: string;
  readonly app: App;
  /** The only incident; fails when there are several. Null while there is none. */
  readonly incident: () => Promise<IncidentView | null>;
  /** Polls until `ready` gives something, at most `withinMs`. */
  readonly until: <T>(what: string, withinMs: number, ready: () => Promise<T | null | false>) => Promise<T>;
  /** Stops everything; throws when a double saw a call that nobody expected. */
  readonly close: () => Promise<void>;
};

/** The real peers, or null when they are not installed. With CI=true their absence is a failure. */
export function realPeers(): { prometheus: string; alertmanager: string } | null {
  const path = process.env.PATH ?? '';
  const prometheus = findBinary(['prometheus'], path);
  const alertmanager = findBinary(['prometheus-alertmanager', 'alertmanager'], path);
  if (prometheus !== null && alertmanager !== null) return { prometheus, alertmanager };
  if (process.env.CI === 'true') throw new Error('CI needs prometheus and prometheus-alertmanager installed');
  return null;
}

export async function startHarness(options: {
  readonly dialect: Dialect;
  readonly seed: number;
}): Promise<Harness> {
  const peers = realPeers();
  if (peers === null) throw new Error('prometheus and prometheus-alertmanager are not installed');
  const stop: (() => unknown)[] = [];
  const fleet = createFleet({ seed: options.seed });
  const runner = createFleetRunner({ fleet, clock: systemClock });
  runner.start();
  stop.push(() => runner.stop());
  const exporter = await startExporterServer({ fleet, port: 0, dialect: options.dialect });
  stop.push(() => exporter.close());
  const pager = await startFakePagerDuty({ routingKeys: [ROUTING_KEY] });
  stop.push(() => pager.close());
  const slack = await startFakeSlack({ channels: { C0E2E: 'C0E2E' } });
  stop.push(() => slack.close());

  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const alertmanager = await launchAlertmanager({
    binary: peers.alertmanager,
    configYaml: alertmanagerConfig({
      webhookUrl: `${url}/api/v1/alertmanager`,
      bearerToken: 'e2e-webhook-token',
      groupWaitMs: 1500,
      groupIntervalMs: 5000,
      repeatIntervalMs: 20_000,
    }),
  });
  stop.push(() => alertmanager.close());
  const prometheus = await launchPrometheus({
    binary: peers.prometheus,
    configYaml: prometheusConfig({
      targets: exporter.targets,
      rulesFile: 'rules.yml',
      alertmanagerAddress: new URL(alertmanager.url).host,
      scrapeIntervalMs: 1000,
      evaluationIntervalMs: 1000,
    }),
    files: {
      'rules.yml': generateAlertRules({
        alerts: ALERTS,
        engines: loadEngineFiles(builtInEnginesDirectory()),
        thresholds: DEFAULT_THRESHOLDS,
        timeScale: TIME_SCALE,
        publicUrl: url,
      }),
    },
  });
  stop.push(() => prometheus.close());

  const directory = mkdtempSync(join(tmpdir(), 'wakewell-e2e-'));
  stop.push(() => rmSync(directory, { recursive: true, force: true }));
  const read = readConfig({
    yamlText: JSON.stringify({
      port,
      database_url: `file:${join(directory, 'e2e.db')}`,
      time_scale: TIME_SCALE,
      prometheus: { url: prometheus.url },
      tokens: { webhook: [{ name: 'alertmanager', token: 'e2e-webhook-token' }] },
      receivers: [
        { name: 'pager', kind: 'pagerduty', routing_key: ROUTING_KEY, events_url: pager.url },
        {
          name: 'slack',
          kind: 'slack',
          bot_token: 'xoxb-e2e',
          channel: 'C0E2E',
          api_url: slack.url.replace(/\/$/, ''),
        },
      ],
    }),
    env: {},
  });
  if (read.kind === 'faulty') throw new Error(read.faults.join('\n'));
  const app = await buildApp(read.config, { logger: createLogger({ level: 'silent' }) });
  await app.start();
  stop.push(() => app.stop());

  return {
    fleet,
    pager,
    slack,
    url,
    app,
    async incident() {
      const [first, second] = await Promise.all([app.readView(1), app.readView(2)]);
      if (second !== null) throw new Error(`a second incident was opened: ${second.incident.alertName}`);
      return first;
    },
    async until(what, withinMs, ready) {
      const end = performance.now() + withinMs;
      for (;;) {
        const value = await ready();
        if (value !== null && value !== false) return value;
        if (performance.now() > end) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
    async close() {
      for (const step of stop.reverse()) await step();
      pager.expectNoUnexpected();
      slack.expectNoUnexpected();
    },
  };
}
