import { describe, expect, it } from 'vitest';
import { faultInWorld } from '../../src/simulator/fault-in-world.js';
import { simulateRun } from '../../src/simulator/simulate-run.js';
import { loadWorld, readWorld, World, worldJsonSchema } from '../../src/simulator/world.js';
import { DEFAULT_WORLD, WORLDS } from '../../src/simulator/worlds.js';

const OUTSIDE = 'test/fixtures/worlds/outside.json';

const faultsOf = (change: (world: Record<string, never>) => void): readonly string[] => {
  const world = structuredClone(DEFAULT_WORLD) as unknown as Record<string, never>;
  change(world);
  const reading = readWorld(JSON.stringify(world));
  return reading.kind === 'faulty' ? reading.faults : [];
};

describe('a world file', () => {
  it('may come from outside, with numbers of its own', () => {
    const reading = loadWorld(OUTSIDE);
    if (reading.kind === 'faulty') throw new Error(reading.faults.join('\n'));
    const snapshots = [
      ...simulateRun({
        seed: 1,
        world: reading.world,
        workers: 3,
        durationMs: 300_000,
        sampleEveryMs: 60_000,
        faults: [{ mechanism: 'kv_load', atMs: 60_000, rampMs: 0, endMs: null, severity: 1 }],
        interventions: [],
        trace: null,
        loadFactor: 1,
        place: { cluster: 'c', namespace: 'n', model: 'm' },
        startPhase: 0,
      }),
    ];
    const last = snapshots[snapshots.length - 1];

    expect(last?.workers[0]).toMatchObject({ blockSize: 32, batchMax: 48, contextMax: 8192 });
    expect(last?.slo.ttftP99Seconds).toBeGreaterThan(5);
    expect(snapshots[1]?.slo.ttftP99Seconds).toBeLessThan(5);
  });

  it('has its own severity, ramp and duration of a fault', () => {
    const reading = loadWorld(OUTSIDE);
    if (reading.kind === 'faulty') throw new Error(reading.faults.join('\n'));
    const fault = { mechanism: 'kv_load', atMs: 1000, rampMs: 90_000, endMs: null, severity: 0.5 } as const;

    expect(faultInWorld(reading.world, fault)).toEqual({
      mechanism: 'kv_load',
      atMs: 1000,
      rampMs: 60_000,
      endMs: 2_401_000,
      severity: 0.75,
    });
    expect(faultInWorld(DEFAULT_WORLD, fault)).toBe(fault);
  });

  it('shows all its faults at once, each with its path', () => {
    const faults = faultsOf((world) => {
      const { calibration, router, models } = world as unknown as {
        calibration: Record<string, unknown>;
        router: Record<string, unknown>;
        models: unknown[];
      };
      calibration.max_batch = 0;
      calibration.colour = 'red';
      router.policy = 'by_mood';
      models.length = 0;
    });

    expect(faults).toHaveLength(4);
    expect(faults.join('\n')).toMatch(/calibration\.max_batch: .*>0/);
    expect(faults.join('\n')).toMatch(/calibration: .*"colour"/);
    expect(faults.join('\n')).toMatch(/router\.policy: .*"round_robin"/);
    expect(faults.join('\n')).toMatch(/models: .*1/);
  });

  it('is refused where nothing could be served', () => {
    expect(
      faultsOf((world) => {
        (world as unknown as { calibration: { kv: { blocks: number } } }).calibration.kv.blocks = 10;
      }),
    ).toEqual([expect.stringContaining('calibration.kv: 160 tokens')]);
    expect(
      faultsOf((world) => {
        const { models } = world as unknown as { models: unknown[] };
        models.push(models[0]);
      }),
    ).toEqual([expect.stringContaining('"llama-70b" is there twice')]);
  });

  it('says what is no JSON, what is not there and which file it was', () => {
    expect(readWorld('{')).toMatchObject({ kind: 'faulty', faults: [expect.stringContaining('not JSON')] });
    expect(loadWorld('no/such.json')).toMatchObject({
      kind: 'faulty',
      faults: [expect.stringContaining('no/such.json: ')],
    });
  });

  it('survives being written and read again', () => {
    for (const world of WORLDS) {
      expect(readWorld(JSON.stringify(world))).toEqual({ kind: 'ok', world });
      expect(World.parse(world)).toEqual(world);
    }
  });

  it('has a schema that names what it requires', () => {
    expect(worldJsonSchema()).toMatchObject({
      type: 'object',
      required: ['name', 'calibration', 'models', 'traffic'],
      additionalProperties: false,
    });
  });
});
