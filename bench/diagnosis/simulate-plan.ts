/** Plays a plan in the simulator. The one place that knows how the simulator is driven. */

import { readFileSync } from 'node:fs';
import { faultInWorld } from '../../src/simulator/fault-in-world.js';
import type { ScheduledIntervention } from '../../src/simulator/interventions.js';
import { MECHANISMS, type Mechanism } from '../../src/simulator/mechanism-names.js';
import { type RunSnapshot, simulateRun } from '../../src/simulator/simulate-run.js';
import { readTrace, type TraceArrival } from '../../src/simulator/trace.js';
import { loadWorld, type World } from '../../src/simulator/world.js';
import { findWorld, WORLDS } from '../../src/simulator/worlds.js';
import { PLACE } from './place.js';
import type { RunPlan } from './run-plan.js';

export const SIMULATED_MECHANISMS: readonly string[] = MECHANISMS;

export type SimulationSettings = {
  /** In turn, by the plan's seed. */
  readonly worlds: readonly World[];
  readonly trace: readonly TraceArrival[] | null;
};

/** A world's name or file, all built-in ones when empty; a trace file, none when empty. Throws with every fault. */
export function loadSettings(world: string, traceFile: string): SimulationSettings {
  return { worlds: worldsOf(world), trace: traceFile === '' ? null : traceOf(traceFile) };
}

function worldsOf(name: string): readonly World[] {
  if (name === '') return WORLDS;
  const builtIn = findWorld(name);
  if (builtIn !== undefined) return [builtIn];
  const reading = loadWorld(name);
  if (reading.kind === 'faulty') throw new Error(reading.faults.join('\n'));
  return [reading.world];
}

function traceOf(file: string): readonly TraceArrival[] {
  const reading = readTrace(readFileSync(file, 'utf8'));
  if (reading.kind === 'faulty')
    throw new Error(reading.faults.map((fault) => `${file}: ${fault}`).join('\n'));
  return reading.arrivals;
}

/** One snapshot every `sampleEveryMs`, the first at 0. */
export function simulatePlan(
  plan: RunPlan,
  { worlds, trace }: SimulationSettings,
  interventions: readonly ScheduledIntervention[] = [],
): Iterable<RunSnapshot> {
  const world = worlds[plan.seed % worlds.length];
  if (world === undefined) throw new Error('no world to simulate');
  return simulateRun({
    seed: plan.seed,
    world,
    workers: Math.max(plan.workers, world.models.length),
    durationMs: plan.durationMs,
    sampleEveryMs: plan.sampleEveryMs,
    faults: plan.mechanisms.map((mechanism) =>
      faultInWorld(world, {
        mechanism: mechanism as Mechanism,
        atMs: plan.faultAtMs,
        rampMs: plan.rampMs,
        endMs: plan.endMs,
        severity: plan.severity,
      }),
    ),
    interventions,
    trace,
    loadFactor: plan.loadFactor,
    place: { ...PLACE, cluster: plan.id },
    startPhase: (plan.seed % 1000) / 1000,
  });
}
