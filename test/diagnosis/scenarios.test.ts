import { describe, expect, test } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import { freezeSignals } from '../../src/diagnosis/freeze.js';
import { createRecordedSource } from '../../src/diagnosis/recorded-source.js';
import { createFleet } from '../../src/simulator/fleet.js';
import { createFleetHistory } from '../../src/simulator/fleet-history.js';
import { SCENARIO_NAMES, SCENARIOS, type ScenarioName } from '../../src/simulator/scenarios.js';
import { createSimulatedSource } from '../../src/simulator/simulated-source.js';
import { createManualClock } from '../support/manual-clock.js';
import { BUILT_IN } from '../support/playbooks.js';

const START = Date.UTC(2026, 8, 1, 3);
const TIME_SCALE = 20;
const SECOND = 1000;
/** Half an hour healthy, then eighteen minutes broken, twenty times faster. */
const HEALTHY_SECONDS = 90;
const BROKEN_SECONDS = 54;

/** Lets a fleet break by its mechanism and returns what its metrics then say. */
function fleetIn(scenario: ScenarioName) {
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
  run(HEALTHY_SECONDS);
  fleet.setScenario(scenario);
  run(BROKEN_SECONDS);
  const source = createSimulatedSource({ history, place: fleet.place, timeScale: TIME_SCALE });
  return { source, atMs, scope: fleet.place };
}

describe.each(SCENARIO_NAMES)('a fleet in %s', (scenario) => {
  const { expected } = SCENARIOS[scenario];
  const { source, atMs, scope } = fleetIn(scenario);
  const alertNames =
    expected.alertNames.length > 0
      ? expected.alertNames
      : ['LLMHighTTFT', 'LLMHighErrorRate', 'SomethingElse'];

  test.each(alertNames)(
    `is diagnosed from %s as ${expected.cause ?? 'nothing'}, live and from its recording`,
    async (alertName) => {
      const options = {
        entries: BUILT_IN.entries,
        labels: {},
        alertName,
        alertExpression: null,
        scope,
        thresholds: DEFAULT_THRESHOLDS,
        atMs,
        clock: createManualClock({ nowMs: atMs }),
        timeScale: TIME_SCALE,
      };

      const live = await diagnose({ ...options, source });
      const recording = await freezeSignals({ scope, source, atMs, timeScale: TIME_SCALE });
      const replayed = await diagnose({ ...options, source: createRecordedSource(recording) });

      expect(live.verdict.cause).toBe(expected.cause);
      expect(replayed.verdict).toEqual(live.verdict);
    },
  );
});
