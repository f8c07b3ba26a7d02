import { describe, expect, it } from 'vitest';
import type { Intervention } from '../../src/simulator/interventions.js';
import type { Mechanism } from '../../src/simulator/mechanism-names.js';
import { type RunSnapshot, simulateRun } from '../../src/simulator/simulate-run.js';
import { DEFAULT_WORLD } from '../../src/simulator/worlds.js';

const MINUTE = 60_000;
const LOAD_MS = DEFAULT_WORLD.calibration.model_load_s * 1000;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** A fault from the first minute on, something done at the fourth; snapshots by the minute of the run. */
function runOf(
  mechanism: Mechanism,
  intervention: Intervention | null,
  { minutes = 12, severity = 0.4 } = {},
): (minute: number) => RunSnapshot {
  const snapshots = [
    ...simulateRun({
      seed: 21,
      world: DEFAULT_WORLD,
      workers: 4,
      durationMs: minutes * MINUTE,
      sampleEveryMs: 30_000,
      faults: [{ mechanism, atMs: MINUTE, rampMs: 0, endMs: null, severity, worker: 1 }],
      interventions: intervention === null ? [] : [{ atMs: 4 * MINUTE, intervention }],
      trace: null,
      loadFactor: 1,
      place: { cluster: 'eu', namespace: 'llm', model: 'under-watch' },
      startPhase: 0,
    }),
  ];
  return (minute) => snapshots[Math.min(snapshots.length - 1, Math.round(minute * 2))] as RunSnapshot;
}

const ttft = ({ slo }: RunSnapshot) => slo.ttftP99Seconds ?? 0;
const worker = ({ workers }: RunSnapshot, index: number) => workers[index] as RunSnapshot['workers'][number];

describe('an intervention does what physics says', () => {
  it('a smaller batch does not help while the cache is what is short; turning requests away does', () => {
    const nothing = runOf('kv_load', null);
    const halved = runOf('kv_load', { kind: 'halve_batch', restart: false });
    const shed = runOf('kv_load', { kind: 'shed', share: 0.5, which: 'any' });

    expect(ttft(nothing(12))).toBeGreaterThan(10);
    expect(ttft(halved(12))).toBeGreaterThan(10);
    expect(ttft(shed(12))).toBeLessThan(2.5);
    expect(shed(12).slo.refusedRatio).toBeCloseTo(0.5, 1);
    expect(shed(12).slo.errorRatio).toBeLessThan(0.01);
  });

  it('a smaller batch brings a step back to where its kernels are captured', () => {
    const before = runOf('decode_batch', null, { severity: 0.7 })(12);
    const halved = runOf('decode_batch', { kind: 'halve_batch', restart: false }, { severity: 0.7 })(12);

    expect(before.slo.tbtP99Seconds).toBeGreaterThan(0.15);
    expect(halved.slo.tbtP99Seconds).toBeLessThan((before.slo.tbtP99Seconds ?? 0) / 1.5);
  });

  it('a smaller batch that needs a restart takes effect worker by worker', () => {
    const at = runOf('healthy', { kind: 'set_batch', maxBatch: 100, restart: true }, { minutes: 14 });

    expect(worker(at(6), 0).up).toBe(false);
    expect(worker(at(9), 0).batchMax).toBe(100);
    expect(worker(at(9), 3).batchMax).toBe(DEFAULT_WORLD.calibration.max_batch);
  });

  it('a restart costs the minutes that the model loads, and the cache', () => {
    const at = runOf('healthy', { kind: 'restart_worker', worker: 2 });
    const loaded = 4 + LOAD_MS / MINUTE;

    expect(worker(at(4.5), 2)).toMatchObject({ up: false, running: 0, restarts: 1 });
    expect(worker(at(4.5), 2).blocksFree).toBe(worker(at(4.5), 2).blocksTotal);
    expect(worker(at(loaded - 0.5), 2).up).toBe(false);
    expect(worker(at(loaded + 0.5), 2).up).toBe(true);
    expect(worker(at(loaded + 0.5), 2).startedMs).toBeGreaterThanOrEqual(4 * MINUTE + LOAD_MS);
  });

  it('all are restarted one after the other', () => {
    const at = runOf('healthy', { kind: 'restart_all' }, { minutes: 24 });

    for (let minute = 0; minute <= 24; minute += 0.5) {
      expect(at(minute).workers.filter(({ up }) => !up).length).toBeLessThanOrEqual(1);
    }
    expect(at(24).workers.map(({ restarts }) => restarts)).toEqual([1, 1, 1, 1]);
  });

  it('new workers serve once their model is loaded, and take their share', () => {
    const at = runOf('over_capacity', { kind: 'add_workers', count: 6 }, { minutes: 14 });

    expect(at(4.5).workers.filter(({ up }) => up)).toHaveLength(4);
    expect(at(4 + LOAD_MS / MINUTE + 0.5).workers.filter(({ up }) => up)).toHaveLength(10);
    expect(ttft(at(7))).toBeGreaterThan(10);
    expect(ttft(at(14))).toBeLessThan(3);
  });

  it('routing by load takes the skew away', () => {
    const at = runOf('hot_worker', { kind: 'reroute', drain: null }, { severity: 0.8 });

    expect(worker(at(4), 1).waiting).toBeGreaterThan(30);
    expect(Math.max(...at(12).workers.map(({ waiting }) => waiting))).toBeLessThan(5);
    expect(ttft(at(12))).toBeLessThan(2.5);
  });

  it('a restart wakes a wedged engine and empties a leaking cache', () => {
    const woken = runOf('wedged', { kind: 'restart_worker', worker: 1 }, { severity: 0 });
    const leaking = runOf('kv_leak', null, { severity: 0.8 });
    const emptied = runOf('kv_leak', { kind: 'restart_worker', worker: 1 }, { severity: 0.8 });
    const used = (snapshot: RunSnapshot) => {
      const { blocksFree, blocksTotal } = worker(snapshot, 1);
      return 1 - blocksFree / blocksTotal;
    };

    expect(ttft(woken(4))).toBeGreaterThan(5);
    expect(ttft(woken(12))).toBeLessThan(2.5);
    expect(used(leaking(9))).toBeGreaterThan(0.8);
    expect(used(emptied(9))).toBeLessThan(0.6);
  });

  it('a cap on the context keeps the huge prompts out', () => {
    const at = runOf('long_prefill', { kind: 'cap_context', tokens: 16_000 }, { severity: 0.7 });

    expect(ttft(at(4))).toBeGreaterThan(4);
    expect(ttft(at(12))).toBeLessThan(2.5);
  });

  it('a queue limit turns away what would wait', () => {
    const at = runOf('over_capacity', { kind: 'limit_admission', maxQueuedPerWorker: 4 });

    expect(Math.max(...at(12).workers.map(({ waiting }) => waiting))).toBeLessThanOrEqual(4);
    expect(at(12).slo.refusedRatio).toBeGreaterThan(0.1);
  });

  it.each([
    ['errors_timeout', { kind: 'raise_timeout', factor: 20 }],
    ['errors_timeout', { kind: 'rollback', restart: false }],
    ['errors_input', { kind: 'validate_input' }],
  ] as const)('%s ends with %o', (mechanism, intervention) => {
    const at = runOf(mechanism, intervention);

    expect(at(4).slo.errorRatio).toBeGreaterThan(0.04);
    expect(at(9).slo.errorRatio).toBeLessThan(0.01);
  });

  it('the tenant that sends most can be turned away', () => {
    const at = runOf('noisy_tenant', { kind: 'block_tenant', tenant: null });
    const refused = at(12).gateway.duration.filter(({ labels }) => labels.status === 'refused');

    expect(new Set(refused.map(({ labels }) => labels.tenant))).toEqual(new Set(['batch-eval']));
    expect(ttft(at(12))).toBeLessThan(2.5);
  });

  it('a worker on another host leaves the slow host behind', () => {
    const at = runOf('gpu_starved', { kind: 'replace_worker', worker: 0 });
    const queues = at(12).workers.map(({ waiting }) => waiting);

    expect(queues[0]).toBeLessThan(10);
    expect(sum(queues.slice(1))).toBeGreaterThan(20);
  });
});
