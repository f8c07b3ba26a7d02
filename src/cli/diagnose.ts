import { systemClock } from '../app.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../catalog/engine-file.js';
import { SIGNALS } from '../catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { diagnose } from '../diagnosis/diagnose.js';
import { labelsFrom } from '../domain/labels.js';
import { scopeOf } from '../domain/scope.js';
import { builtInPlaybooksDirectory, loadPlaybooks } from '../playbook/load.js';
import { createPrometheusClient } from '../prometheus/prometheus-client.js';
import { createPrometheusSource } from '../prometheus/prometheus-source.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { readPair } from './incidents.js';
import { requireConfig } from './load-config.js';

export type DiagnoseOptions = {
  readonly at?: string;
  readonly label: readonly string[];
  readonly json: boolean;
};

const SYMBOL = { fail: '✗', ok: '✓', unknown: '?', skipped: '»' } as const;

/** `wakewell diagnose <alert>`: what the page would say, without a running service. Exit 1 when a cause was found. */
export async function diagnoseAlert(alertName: string, options: DiagnoseOptions): Promise<number> {
  const config = requireConfig();
  if (config.prometheus.url === null)
    throw new CommandFailure(EXIT.usage, 'set PROMETHEUS_URL: there is nothing to ask');
  const atMs = options.at === undefined ? Date.now() : Date.parse(options.at);
  if (Number.isNaN(atMs))
    throw new CommandFailure(EXIT.usage, `--at ${options.at} is no time; expected 2026-01-31T03:12:00Z`);
  const labels = labelsFrom([['alertname', alertName], ...options.label.map(readPair)]);
  const thresholds = { ...DEFAULT_THRESHOLDS, ...config.thresholds };
  const playbooks = loadPlaybooks({
    directories: [builtInPlaybooksDirectory(), ...config.playbookDirectories],
    signals: new Set(SIGNALS.map((signal) => signal.name)),
    thresholds,
  });
  const client = createPrometheusClient({
    baseUrl: config.prometheus.url,
    ...(config.prometheus.bearerToken === undefined
      ? {}
      : { bearerToken: config.prometheus.bearerToken.reveal() }),
    headers: config.prometheus.headers,
    timeoutMs: config.timings.queryMs,
    clock: systemClock,
  });
  const source = createPrometheusSource({
    client,
    engines: [
      ...config.engineDirectories.flatMap(loadEngineFiles),
      ...loadEngineFiles(builtInEnginesDirectory()),
    ],
    clock: systemClock,
    timeScale: config.timeScale,
  });
  const outcome = await diagnose({
    entries: playbooks.entries,
    labels,
    alertName,
    alertExpression: null,
    scope: scopeOf(labels, config.scopeLabels),
    source,
    thresholds,
    atMs,
    deadlineMs: config.timings.diagnosisMs,
    clock: systemClock,
    timeScale: config.timeScale,
  });
  await source.close();
  if (options.json) console.log(JSON.stringify(outcome));
  else {
    console.log(
      `${outcome.verdict.says}  (${outcome.verdict.confidence} confidence: ${outcome.verdict.why})\n`,
    );
    for (const finding of outcome.findings)
      console.log(`${SYMBOL[finding.status]} ${finding.title}: ${finding.says}`);
    const [first] = outcome.verdict.fixes;
    if (first !== undefined) console.log(`\nDo first: ${first.do}`);
    for (const wrong of outcome.verdict.wrongFixes) console.log(`Do NOT: ${wrong.fix}. ${wrong.because}`);
  }
  return outcome.verdict.cause === null ? EXIT.fine : EXIT.found;
}
