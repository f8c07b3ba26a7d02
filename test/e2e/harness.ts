/**
 * The whole way for real: simulated fleet → Prometheus → rules → Alertmanager → the service → doubles of
 * PagerDuty and Slack. Time is scaled, nothing else is. `close` fails on any call that nobody expected.
 */

import { systemClock } from '../../src/app.js';
import { ALERTS } from '../../src/catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { generateAlertRules } from '../../src/generate/alert-rules.js';
import { alertmanagerConfig } from '../../src/generate/alertmanager-config.js';
import { prometheusConfig } from '../../src/generate/prometheus-config.js';
import { findBinary, freePort, launchAlertmanager, launchPrometheus } from '../../src/prometheus/launch.js';
import { type Dialect, startExporterServer } from '../../src/simulator/exporter-server.js';
import { createFleet, type Fleet } from '../../src/simulator/fleet.js';
import { createFleetRunner } from '../../src/simulator/fleet-runner.js';
import { type Service, startService, WEBHOOK_TOKEN } from './service.js';

const TIME_SCALE = 20;

export type Harness = Service & { readonly fleet: Fleet };

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

  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const alertmanager = await launchAlertmanager({
    binary: peers.alertmanager,
    configYaml: alertmanagerConfig({
      webhookUrl: `${url}/api/v1/alertmanager`,
      bearerToken: WEBHOOK_TOKEN,
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
        engines: loadEngineFiles(builtInEnginesDirectory()).filter(({ engine }) =>
          [options.dialect, 'llm'].includes(engine),
        ),
        thresholds: DEFAULT_THRESHOLDS,
        timeScale: TIME_SCALE,
        publicUrl: url,
      }),
    },
  });
  stop.push(() => prometheus.close());

  const service = await startService({
    port,
    prometheusUrl: prometheus.url,
    config: { time_scale: TIME_SCALE },
  });

  return {
    ...service,
    fleet,
    async close() {
      try {
        await service.close();
      } finally {
        for (const step of stop.reverse()) await step();
      }
    },
  };
}
