import { describe, expect, it } from 'vitest';
import { createFleet, type Fleet } from '../../src/simulator/fleet.js';
import { createFleetHistory } from '../../src/simulator/fleet-history.js';
import { SCENARIO_NAMES, type ScenarioName } from '../../src/simulator/scenarios.js';
import { createSimulatedSource } from '../../src/simulator/simulated-source.js';

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** A fleet with a snapshot each second and a reader of its signals, workers in order. */
function watched() {
  const fleet = createFleet({ seed: 7 });
  const history = createFleetHistory();
  const source = createSimulatedSource({ history, timeScale: 20 });
  let nowMs = 1_800_000_000_000;
  const values = async (signal: string): Promise<number[]> => {
    const reading = await source.readSignal(signal, fleet.place, { atMs: nowMs });
    if (reading.kind !== 'value') throw new Error(`${signal}: ${JSON.stringify(reading)}`);
    return reading.samples.map(({ value }) => value);
  };
  return {
    fleet,
    values,
    value: async (signal: string) => (await values(signal))[0],
    run(seconds: number) {
      for (let second = 0; second < seconds; second += 1) {
        fleet.advance(1000);
        nowMs += 1000;
        history.add({ atMs: nowMs, snapshot: fleet.snapshot() });
      }
    },
  };
}

function broken(name: ScenarioName, seconds = 45) {
  const here = watched();
  here.run(20);
  here.fleet.setScenario(name);
  here.run(seconds);
  return here;
}

/** Whatever arrived is held or over, and free blocks never leave their bounds. */
function expectConserved(fleet: Fleet): void {
  const { workers, gateway } = fleet.snapshot();
  const held = sum(workers.map(({ running, waiting }) => running + waiting));
  const over = sum(gateway.duration.map(({ value }) => value.count));
  expect(held + over).toBe(sum(gateway.requests.map(({ value }) => value)));
  for (const worker of workers) {
    expect(worker.blocksFree).toBeGreaterThanOrEqual(0);
    expect(worker.blocksFree).toBeLessThanOrEqual(worker.blocksTotal);
    expect(worker.running).toBeLessThanOrEqual(worker.batchMax);
  }
}

describe('a simulated fleet', () => {
  it('is the same for the same seed and another for another', () => {
    const run = (seed: number) => {
      const fleet = createFleet({ seed });
      fleet.setScenario('kv-exhaustion');
      fleet.advance(20_000);
      return JSON.stringify(fleet.snapshot());
    };
    expect(run(3)).toBe(run(3));
    expect(run(3)).not.toBe(run(4));
  });

  it.each(SCENARIO_NAMES)('loses no request and no block under %s', (name) => {
    const fleet = createFleet({ seed: 5 });
    fleet.setScenario(name);
    for (let second = 0; second < 40; second += 1) {
      fleet.advance(1000);
      expectConserved(fleet);
    }
  });

  it('stays healthy for five minutes', async () => {
    const here = watched();
    here.run(20);
    for (let round = 0; round < 20; round += 1) {
      here.run(15);
      expect(await here.value('ttft_p50_seconds')).toBeLessThan(0.3);
      expect(await here.value('ttft_p99_seconds')).toBeLessThan(1.5);
      expect(await here.value('tbt_p50_seconds')).toBeLessThan(0.03);
      expect(await here.value('tbt_p99_seconds')).toBeLessThan(0.08);
      expect(Math.max(...(await here.values('kv_cache_utilization')))).toBeLessThan(0.7);
      expect(sum(await here.values('queue_depth'))).toBeLessThan(20);
      expect(sum(await here.values('preemption_rate'))).toBe(0);
      expect(await here.value('error_ratio')).toBe(0);
    }
  });

  it.each(SCENARIO_NAMES)('is well again 40 seconds after the cause of %s is gone', async (name) => {
    const here = broken(name, 60);
    here.fleet.setScenario('healthy');
    here.run(40);
    expect(await here.value('ttft_p99_seconds')).toBeLessThan(1.5);
    expect(sum(await here.values('queue_depth'))).toBeLessThan(20);
    expect(Math.max(...(await here.values('kv_cache_utilization')))).toBeLessThan(0.7);
    expect(await here.value('error_ratio')).toBe(0);
  });
});

describe('a scenario reaches its symptoms by its mechanism', () => {
  it('kv-exhaustion fills the cache of most workers until they evict', async () => {
    const here = broken('kv-exhaustion');
    const full = (await here.values('kv_cache_utilization')).filter((share) => share > 0.9);
    expect(full.length).toBeGreaterThan(5);
    expect(sum(await here.values('preemption_rate'))).toBeGreaterThan(1);
    expect(await here.value('ttft_p99_seconds')).toBeGreaterThan(5);
    expect(sum(await here.values('queue_depth'))).toBeGreaterThan(200);
  });

  it('long-context slows the few and not the many', async () => {
    const here = broken('long-context');
    expect(await here.value('ttft_p99_seconds')).toBeGreaterThan(5);
    expect(await here.value('ttft_p50_seconds')).toBeLessThan(0.4);
    expect(await here.value('long_prompt_share')).toBeGreaterThan(0.02);
    expect(Math.max(...(await here.values('kv_cache_utilization')))).toBeLessThan(0.9);
    expect(Math.min(...(await here.values('gpu_utilization')))).toBeGreaterThan(0.7);
  });

  it('hot-worker drowns one worker while the others have room', async () => {
    const here = broken('hot-worker');
    const kv = await here.values('kv_cache_utilization');
    expect(kv[3]).toBeGreaterThan(0.9);
    expect(kv.filter((share) => share > 0.5)).toHaveLength(1);
    const queues = await here.values('queue_depth');
    expect(queues[3]).toBeGreaterThan(50);
    expect(sum(queues) - (queues[3] ?? 0)).toBeLessThan(20);
  });

  it('gpu-starved queues requests before idle GPUs', async () => {
    const here = broken('gpu-starved');
    expect(Math.max(...(await here.values('gpu_utilization')))).toBeLessThan(0.5);
    expect(sum(await here.values('queue_depth'))).toBeGreaterThan(200);
    expect(Math.max(...(await here.values('kv_cache_utilization')))).toBeLessThan(0.85);
    expect(await here.value('ttft_p99_seconds')).toBeGreaterThan(5);
  });

  it('error-burst fails the requests of workers that crash and restart', async () => {
    const here = broken('error-burst');
    expect(await here.value('error_ratio')).toBeGreaterThan(0.05);
    expect(sum(await here.values('worker_restarts'))).toBeGreaterThan(10);
    expect(Math.max(...(await here.values('gpu_memory_ratio')))).toBeLessThan(0.9);
  });
});
