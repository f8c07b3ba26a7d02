import { describe, expect, it } from 'vitest';
import { MECHANISMS, type Mechanism } from '../../src/simulator/mechanism-names.js';
import { type RunPlan, type RunSnapshot, simulateRun } from '../../src/simulator/simulate-run.js';
import { DEFAULT_WORLD, WORLDS } from '../../src/simulator/worlds.js';

const MINUTE = 60_000;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function aPlan(plan: Partial<RunPlan> = {}): RunPlan {
  return {
    seed: 3,
    world: DEFAULT_WORLD,
    workers: 4,
    durationMs: 6 * MINUTE,
    sampleEveryMs: 15_000,
    faults: [],
    interventions: [],
    trace: null,
    loadFactor: 1,
    place: { cluster: 'eu', namespace: 'llm', model: 'under-watch' },
    startPhase: 0.2,
    ...plan,
  };
}

const struckBy = (mechanism: Mechanism, severity = 0.6): Partial<RunPlan> => ({
  faults: [{ mechanism, atMs: MINUTE, rampMs: 20_000, endMs: 5 * MINUTE, severity }],
});

/** Whatever arrived is held or over, and blocks neither appear nor vanish. */
function expectConserved({ workers, gateway }: RunSnapshot): void {
  const held = sum(workers.map(({ running, waiting }) => running + waiting));
  const over = sum(gateway.duration.map(({ value }) => value.count));
  expect(held + over).toBe(sum(gateway.requests.map(({ value }) => value)));
  for (const { blocksFree, blocksTotal, running, waiting } of workers) {
    expect(blocksFree).toBeGreaterThanOrEqual(0);
    expect(blocksFree).toBeLessThanOrEqual(blocksTotal);
    expect(Number.isInteger(blocksFree) && running >= 0 && waiting >= 0).toBe(true);
  }
}

describe('a simulated run', () => {
  it('is the same for the same plan and another for another seed', () => {
    const run = (seed: number) => JSON.stringify([...simulateRun(aPlan({ seed, ...struckBy('kv_load') }))]);
    const first = run(3);
    expect(run(3)).toBe(first);
    expect(run(4)).not.toBe(first);
  });

  it('takes its samples lazily, the first at 0 and the last at its end', () => {
    const run = simulateRun(aPlan({ durationMs: MINUTE, sampleEveryMs: 30_000 }));
    expect(run.next().value?.simulatedMs).toBe(0);
    expect([...run].map(({ simulatedMs }) => simulatedMs)).toEqual([30_000, 60_000]);
  });

  it.each(MECHANISMS)('loses no request and no block under %s', (mechanism) => {
    for (const snapshot of simulateRun(aPlan(struckBy(mechanism)))) expectConserved(snapshot);
  });

  it.each(WORLDS.map((world) => [world.name, world] as const))('is healthy in %s', (_, world) => {
    for (const snapshot of simulateRun(aPlan({ world, workers: 6, sampleEveryMs: MINUTE }))) {
      expectConserved(snapshot);
      // A minute holds a few hundred requests: its p99 is a handful of them.
      expect(snapshot.slo.ttftP99Seconds).toBeLessThan(2.5);
      expect(snapshot.slo.tbtP99Seconds).toBeLessThan(0.08);
      expect(snapshot.slo.errorRatio).toBeLessThan(0.01);
    }
  });
});
