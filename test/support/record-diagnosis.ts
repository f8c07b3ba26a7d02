/** Diagnoses and records as the service does, over any metrics source. */

import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import { freezeSignals } from '../../src/diagnosis/freeze.js';
import { encodeRecording } from '../../src/diagnosis/recording.js';
import { createWitness } from '../../src/diagnosis/witness.js';
import type { MetricsSource } from '../../src/domain/metrics-source.js';
import type { Scope } from '../../src/domain/scope.js';
import { diagnosedOf } from '../../src/incidents/freeze-evidence.js';
import { createFleet } from '../../src/simulator/fleet.js';
import { createFleetHistory } from '../../src/simulator/fleet-history.js';
import type { ScenarioName } from '../../src/simulator/scenarios.js';
import { createSimulatedSource } from '../../src/simulator/simulated-source.js';
import { createManualClock } from './manual-clock.js';
import { BUILT_IN } from './playbooks.js';

const START = Date.UTC(2026, 8, 1, 3);
const TIME_SCALE = 20;
const SECOND = 1000;

export async function recordDiagnosis(made: {
  readonly source: MetricsSource;
  readonly scope: Scope;
  readonly atMs: number;
  readonly alertName: string;
  readonly timeScale?: number;
}) {
  const { scope, atMs, alertName, timeScale = 1 } = made;
  const witness = createWitness(made.source);
  const labels = { ...scope, alertname: alertName };
  const live = await diagnose({
    ...{ labels, alertName, scope, atMs, timeScale },
    entries: BUILT_IN.entries,
    alertExpression: null,
    source: witness.source,
    thresholds: DEFAULT_THRESHOLDS,
    clock: createManualClock({ nowMs: atMs }),
  });
  const testimony = witness.testimony();
  const recording = await freezeSignals({
    ...{ scope, atMs, timeScale, testimony, source: made.source },
    diagnosed: diagnosedOf({
      incident: null,
      alert: { name: alertName, labels, expression: null },
      webhook: { body: null, note: 'made by a test' },
      outcome: { ...live, evidence: { atMs, testimony } },
      texts: BUILT_IN.texts,
      thresholds: DEFAULT_THRESHOLDS,
      deadlineMs: 4000,
    }),
  });
  return { live, recording, bytes: encodeRecording(recording) };
}

/** A fleet that is healthy for half an hour, then broken for eighteen minutes, twenty times faster. */
export function recordScenario(scenario: ScenarioName, alertName: string) {
  const fleet = createFleet({ seed: 11 });
  const history = createFleetHistory();
  let atMs = START;
  const run = (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      fleet.advance(SECOND);
      atMs += SECOND;
      history.add({ atMs, snapshot: fleet.snapshot() });
    }
  };
  run(90);
  fleet.setScenario(scenario);
  run(54);
  const source = createSimulatedSource({ history, place: fleet.place, timeScale: TIME_SCALE });
  return recordDiagnosis({ source, scope: fleet.place, atMs, alertName, timeScale: TIME_SCALE });
}
