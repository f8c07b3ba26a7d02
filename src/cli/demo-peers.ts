/** The real Prometheus and Alertmanager for the demo: they scrape the simulated fleet, and their alerts come to us. */

import { ALERTS } from '../catalog/alerts.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../catalog/engine-file.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { generateAlertRules } from '../generate/alert-rules.js';
import { alertmanagerConfig } from '../generate/alertmanager-config.js';
import { prometheusConfig } from '../generate/prometheus-config.js';
import { launchAlertmanager, launchPrometheus } from '../prometheus/launch.js';
import { startExporterServer } from '../simulator/exporter-server.js';
import type { Fleet } from '../simulator/fleet.js';

const SCRAPE_MS = 1000;

/** Starts both; what stops them goes to `cleanups`. Returns the address of Prometheus. */
export async function startPeers(options: {
  readonly fleet: Fleet;
  readonly timeScale: number;
  readonly port: number;
  readonly prometheus: string;
  readonly alertmanager: string;
  readonly cleanups: (() => void | Promise<void>)[];
}): Promise<string> {
  const { fleet, timeScale, cleanups } = options;
  const exporter = await startExporterServer({ fleet, port: 0, dialect: 'vllm' });
  cleanups.push(() => exporter.close());
  const alertmanager = await launchAlertmanager({
    binary: options.alertmanager,
    configYaml: alertmanagerConfig({
      webhookUrl: `http://127.0.0.1:${options.port}/api/v1/alertmanager`,
      groupWaitMs: Math.round(30_000 / timeScale),
      groupIntervalMs: Math.round(300_000 / timeScale),
      repeatIntervalMs: Math.round(14_400_000 / timeScale),
    }),
  });
  cleanups.push(() => alertmanager.close());
  const prometheus = await launchPrometheus({
    binary: options.prometheus,
    configYaml: prometheusConfig({
      targets: exporter.targets,
      rulesFile: 'rules.yml',
      alertmanagerAddress: new URL(alertmanager.url).host,
      scrapeIntervalMs: SCRAPE_MS,
      evaluationIntervalMs: SCRAPE_MS,
    }),
    files: {
      'rules.yml': generateAlertRules({
        alerts: ALERTS,
        // The names that the exporter serves: its engines', and the canonical ones of its GPUs.
        engines: loadEngineFiles(builtInEnginesDirectory()).filter(({ engine }) =>
          ['vllm', 'llm'].includes(engine),
        ),
        thresholds: DEFAULT_THRESHOLDS,
        timeScale,
        publicUrl: `http://127.0.0.1:${options.port}`,
      }),
    },
  });
  cleanups.push(() => prometheus.close());
  return prometheus.url;
}
