/** `wakewell diagnose`: what the page would say, from Prometheus alone, without a running service. */

import { systemClock } from '../app.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { diagnose } from '../diagnosis/diagnose.js';
import { labelsFrom } from '../domain/labels.js';
import { scopeOf } from '../domain/scope.js';
import { connectPrometheus } from './connect-prometheus.js';
import { CommandFailure, EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';
import { loadEngines, loadEntries } from './load-playbook.js';
import { diagnosisLines, readMoment, readPair } from './print.js';

export type DiagnoseOptions = {
  readonly at?: string;
  readonly label: readonly string[];
  readonly json: boolean;
};

/** Exit 1 when a cause was found, 3 when Prometheus answered nothing at all. */
export async function diagnoseAlert(alertName: string, options: DiagnoseOptions): Promise<number> {
  const config = requireConfig();
  const { timeScale } = config;
  const atMs = readMoment(options.at, Date.now());
  const labels = labelsFrom([['alertname', alertName], ...options.label.map(readPair)]);
  const engines = loadEngines(config.engineDirectories);
  const entries = loadEntries(config.playbookDirectories, config.thresholds);
  const faults = [...engines.faults, ...entries.faults];
  if (faults.length > 0) throw new CommandFailure(EXIT.usage, faults.join('\n'));

  const scope = scopeOf(labels, config.scopeLabels);
  const { sourceFor, close } = connectPrometheus(config, engines.found);
  const outcome = await diagnose({
    entries: entries.found,
    labels,
    alertName,
    alertExpression: null,
    scope,
    source: sourceFor(scope),
    thresholds: { ...DEFAULT_THRESHOLDS, ...config.thresholds },
    atMs,
    deadlineMs: config.timings.diagnosisMs,
    clock: systemClock,
    timeScale,
  });
  await close();

  if (options.json) console.log(JSON.stringify(outcome));
  else {
    const entry = outcome.entryIsDefault ? 'the default entry' : `entry ${outcome.entryId}`;
    console.log(
      [...diagnosisLines(outcome), '', `By ${entry}, as of ${new Date(atMs).toISOString()}.`].join('\n'),
    );
  }
  const asked = outcome.findings.filter((finding) => finding.status !== 'skipped');
  const unreachable = asked.length > 0 && asked.every((finding) => finding.reason === 'unreachable');
  if (unreachable) return EXIT.unreachable;
  return outcome.verdict.cause === null ? EXIT.fine : EXIT.found;
}
