/** Plays a plan in the simulator. The one place that knows how the simulator is driven. */

import { createFleet } from '../../src/simulator/fleet.js';
import type { ScenarioName } from '../../src/simulator/scenarios.js';
import type { FleetSnapshot } from '../../src/simulator/snapshot.js';
import type { RunPlan } from './run-plan.js';

const SCENARIO_OF: Readonly<Record<string, ScenarioName>> = {
  healthy: 'healthy',
  kv_load: 'kv-exhaustion',
  long_prefill: 'long-context',
  hot_worker: 'hot-worker',
  gpu_starved: 'gpu-starved',
  errors_crash: 'error-burst',
};

export const SIMULATED_MECHANISMS: readonly string[] = Object.keys(SCENARIO_OF);

/** One snapshot every `sampleEveryMs`, the first at 0. */
export function* simulatePlan(plan: RunPlan): Iterable<FleetSnapshot> {
  const fleet = createFleet({ seed: plan.seed, cluster: plan.id });
  const scenario = SCENARIO_OF[plan.mechanisms[0] ?? ''];
  if (scenario === undefined) throw new Error(`no scenario for ${plan.mechanisms.join(', ')}`);
  for (let atMs = 0; atMs <= plan.durationMs; atMs += plan.sampleEveryMs) {
    if (fleet.scenario() === 'healthy' && atMs >= plan.faultAtMs) fleet.setScenario(scenario);
    yield fleet.snapshot();
    fleet.advance(plan.sampleEveryMs);
  }
}
