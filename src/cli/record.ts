/** `wakewell record`: one incident, or one moment of Prometheus, as a file that `replay` and `check --recordings` read. */

import { writeFileSync } from 'node:fs';
import { systemClock } from '../app.js';
import { DEFAULT_THRESHOLDS } from '../catalog/thresholds.js';
import { diagnose } from '../diagnosis/diagnose.js';
import { freezeSignals, operatorQueries } from '../diagnosis/freeze.js';
import { encodeRecording } from '../diagnosis/recording.js';
import { createWitness } from '../diagnosis/witness.js';
import { labelsFrom } from '../domain/labels.js';
import { scopeOf } from '../domain/scope.js';
import { diagnosedOf } from '../incidents/freeze-evidence.js';
import { matchEntry } from '../playbook/match.js';
import { downloadService } from './call-service.js';
import { connectPrometheus } from './connect-prometheus.js';
import { EXIT } from './exit-codes.js';
import { requireConfig } from './load-config.js';
import { loadEngines } from './load-playbook.js';
import { readMoment, readPair } from './print.js';
import { playbooksFor, readRecordingBytes } from './recordings.js';

export type RecordOptions = {
  readonly output?: string;
  readonly at?: string;
  readonly label: readonly string[];
  readonly json: boolean;
};

/** A number is an incident of the running service; anything else an alert, diagnosed now or `--at` a time. */
export async function recordCommand(what: string, options: RecordOptions): Promise<number> {
  const id = /^(?:inc-?)?(\d{1,15})$/i.exec(what.trim())?.[1];
  const body =
    id === undefined
      ? await fromPrometheus(what, options)
      : await downloadService(`/api/v1/incidents/${id}/recording`);
  const { diagnosed, formatVersion } = readRecordingBytes(body, what);
  const file =
    options.output ?? `${id === undefined ? what.replace(/[^\w-]+/g, '_') : `INC-${id}`}.recording.json.gz`;
  writeFileSync(file, body);
  const verdict = diagnosed?.verdict ?? null;
  if (options.json) {
    console.log(
      JSON.stringify({ file, bytes: body.length, format: formatVersion, cause: verdict?.cause ?? null }),
    );
  } else {
    console.log(
      `Wrote ${file}, ${Math.ceil(body.length / 1024)} KiB${verdict === null ? '' : `: ${verdict.says}`}`,
    );
    console.error(`Diagnose it again: wakewell replay ${file}`);
  }
  return EXIT.fine;
}

async function fromPrometheus(alertName: string, options: RecordOptions): Promise<Uint8Array> {
  const config = requireConfig();
  const { timeScale } = config;
  const atMs = readMoment(options.at, Date.now());
  const labels = labelsFrom([['alertname', alertName], ...options.label.map(readPair)]);
  const engines = loadEngines(config.engineDirectories);
  const { entries, texts } = playbooksFor(config);
  const thresholds = { ...DEFAULT_THRESHOLDS, ...config.thresholds };
  const scope = scopeOf(labels, config.scopeLabels);
  const { sourceFor, close } = connectPrometheus(config, engines.found);
  const source = sourceFor(scope);
  try {
    const witness = createWitness(source);
    const outcome = await diagnose({
      ...{ entries, labels, alertName, alertExpression: null, scope, thresholds, atMs, timeScale },
      source: witness.source,
      deadlineMs: config.timings.diagnosisMs,
      clock: systemClock,
    });
    const testimony = witness.testimony();
    const { entry } = matchEntry(entries, labels);
    const recording = await freezeSignals({
      ...{ scope, source, atMs, timeScale, testimony },
      expressions: operatorQueries(entry, scope),
      diagnosed: diagnosedOf({
        incident: null,
        alert: { name: alertName, labels, expression: null },
        webhook: { body: null, note: 'recorded from Prometheus, no call arrived' },
        outcome: { ...outcome, evidence: { atMs, testimony } },
        texts,
        thresholds,
        deadlineMs: config.timings.diagnosisMs,
      }),
    });
    return encodeRecording(recording);
  } finally {
    await close();
  }
}
