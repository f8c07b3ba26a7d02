import { describe, expect, it } from 'vitest';
import { histogramIncrease, histogramQuantile, mergeHistograms } from '../../src/simulator/histogram.js';
import type { Mechanism } from '../../src/simulator/mechanism-names.js';
import { type RunSnapshot, simulateRun } from '../../src/simulator/simulate-run.js';
import { DEFAULT_WORLD, WORLDS } from '../../src/simulator/worlds.js';

const MINUTE = 60_000;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;

/** What five minutes of a fault look like, from six minutes after its onset. */
function signatureOf(mechanism: Mechanism, severity = 0.5, world = DEFAULT_WORLD) {
  const worker = mechanism === 'kv_leak' ? undefined : 1;
  const faults = [{ mechanism, atMs: MINUTE, rampMs: 30_000, endMs: null, severity, worker }];
  const snapshots = [
    ...simulateRun({
      seed: 11,
      world,
      workers: 6,
      durationMs: 12 * MINUTE,
      sampleEveryMs: 30_000,
      faults,
      interventions: [],
      trace: null,
      loadFactor: 1,
      place: { cluster: 'eu', namespace: 'llm', model: 'under-watch' },
      startPhase: 0,
    }),
  ];
  const window = snapshots.slice(-11);
  const first = window[0] as RunSnapshot;
  const last = window[window.length - 1] as RunSnapshot;
  const own = ({ workers }: RunSnapshot) => workers.filter(({ model }) => model === 'under-watch');
  const up = own(last).filter((worker) => worker.up);
  const ofModel = <T>(series: readonly { labels: Readonly<Record<string, string>>; value: T }[]) =>
    series.filter(({ labels }) => labels.model === 'under-watch').map(({ value }) => value);
  const quantile = (q: number, family: 'ttft' | 'tbt' | 'promptTokens') => {
    const before = ofModel(first.gateway[family]);
    const parts = ofModel(last.gateway[family]).map((after, index) =>
      histogramIncrease(before[index] ?? null, after),
    );
    const merged = mergeHistograms(parts);
    return merged === null ? Number.NaN : histogramQuantile(q, merged);
  };
  const grown = (read: (snapshot: RunSnapshot) => number) => read(last) - read(first);
  const requests = grown(({ gateway }) => sum(ofModel(gateway.requests)));
  return {
    last,
    up,
    kv: up.map(({ blocksFree, blocksTotal }) => 1 - blocksFree / blocksTotal),
    queues: up.map(({ waiting }) => waiting),
    running: up.map(({ running }) => running),
    gpu: mean(up.map(({ gpuUtilisation }) => gpuUtilisation)),
    ttftP50: quantile(0.5, 'ttft'),
    ttftP99: quantile(0.99, 'ttft'),
    tbtP99: quantile(0.99, 'tbt'),
    promptP50: quantile(0.5, 'promptTokens'),
    requestsPerSecond: requests / 300,
    preemptions: grown((snapshot) => sum(own(snapshot).map(({ preemptions }) => preemptions))),
    restarts: grown((snapshot) => sum(own(snapshot).map(({ restarts }) => restarts))),
    errorShare: (type: string) =>
      grown(({ gateway }) =>
        sum(gateway.errors.filter(({ labels }) => labels.error_type === type).map(({ value }) => value)),
      ) / requests,
    wasDown: window.some((snapshot) => own(snapshot).some((worker) => !worker.up)),
  };
}

const healthy = signatureOf('healthy');

describe('a mechanism shows what its physics says', () => {
  it('kv_load: more of the usual requests fill the cache until it evicts', () => {
    const seen = signatureOf('kv_load');

    expect(mean(seen.kv)).toBeGreaterThan(0.93);
    expect(seen.preemptions).toBeGreaterThan(50);
    expect(sum(seen.queues)).toBeGreaterThan(100);
    expect(seen.ttftP50).toBeGreaterThan(5);
    expect(seen.requestsPerSecond).toBeGreaterThan(1.2 * healthy.requestsPerSecond);
    expect(seen.promptP50).toBeLessThan(1.2 * healthy.promptP50);
  });

  it('kv_long_prompts: as many requests, but longer ones, do the same', () => {
    const seen = signatureOf('kv_long_prompts');

    expect(mean(seen.kv)).toBeGreaterThan(0.9);
    expect(seen.preemptions).toBeGreaterThan(20);
    expect(seen.requestsPerSecond).toBeLessThan(1.1 * healthy.requestsPerSecond);
    expect(seen.promptP50).toBeGreaterThan(1.3 * healthy.promptP50);
  });

  it('kv_leak: the cache is full while few requests run', () => {
    const seen = signatureOf('kv_leak', 0.9);

    expect(mean(seen.kv)).toBeGreaterThan(0.9);
    expect(mean(seen.running)).toBeLessThan(0.75 * mean(healthy.running));
    expect(seen.requestsPerSecond).toBeLessThan(1.1 * healthy.requestsPerSecond);
    expect(sum(seen.queues)).toBeGreaterThan(50);
  });

  it('long_prefill: some wait long, most do not, and the cache has room', () => {
    const seen = signatureOf('long_prefill');

    expect(seen.ttftP99).toBeGreaterThan(5);
    expect(seen.ttftP50).toBeLessThan(1);
    expect(Math.max(...seen.kv)).toBeLessThan(0.85);
    expect(seen.preemptions).toBe(0);
    expect(seen.gpu).toBeGreaterThan(0.85);
  });

  it('hot_worker: one drowns, the others have room', () => {
    const { queues, kv } = signatureOf('hot_worker', 0.7);

    expect(queues[1]).toBeGreaterThan(50);
    expect(sum(queues) - (queues[1] ?? 0)).toBeLessThan(10);
    expect(kv.filter((share) => share > 0.5)).toHaveLength(1);
  });

  it.each(WORLDS.map((world) => [world.name, world] as const))(
    'decode_batch in %s: tokens come slowly, first tokens do not',
    (_, world) => {
      const seen = signatureOf('decode_batch', 0.7, world);

      expect(seen.tbtP99).toBeGreaterThan(0.15);
      expect(seen.ttftP50).toBeLessThan(1);
      expect(seen.ttftP99).toBeLessThan(2.5);
      expect(Math.max(...seen.kv)).toBeLessThan(0.8);
      expect(sum(seen.queues)).toBeLessThan(30);
    },
  );

  it('gpu_starved: a queue before GPUs that mostly idle', () => {
    const seen = signatureOf('gpu_starved');

    expect(seen.gpu).toBeLessThan(0.55);
    expect(sum(seen.queues)).toBeGreaterThan(100);
    expect(Math.max(...seen.kv)).toBeLessThan(0.8);
  });

  it('wedged: requests wait, no token comes, and the worker is up', () => {
    const { up, last } = signatureOf('wedged', 0);
    const stuck = up.find(({ name }) => name === 'worker-1');

    expect(up).toHaveLength(6);
    expect(stuck?.waiting).toBeGreaterThan(5);
    expect(stuck?.running === 0 || stuck?.gpuTensorActive === 0).toBe(true);
    expect(last.slo.ttftP99Seconds).toBeGreaterThan(5);
  });

  it('worker_lost: gone for good, its share falls on the others', () => {
    const seen = signatureOf('worker_lost', 1);

    expect(seen.up).toHaveLength(3);
    expect(seen.last.workers.filter(({ isPresent }) => !isPresent)).toHaveLength(3);
    expect(mean(seen.running)).toBeGreaterThan(1.5 * mean(healthy.running));
    expect(seen.restarts).toBe(0);
  });

  it('worker_restarting: one comes and goes', () => {
    const seen = signatureOf('worker_restarting', 1);

    expect(seen.wasDown).toBe(true);
    expect(seen.restarts).toBeGreaterThanOrEqual(1);
    expect(seen.up.length).toBeGreaterThanOrEqual(5);
  });

  it('gpu_oom: memory grows until the engine dies of it', () => {
    const seen = signatureOf('gpu_oom', 0.9);

    expect(seen.errorShare('oom')).toBeGreaterThan(0);
    expect(seen.errorShare('crash')).toBe(0);
    expect(sum(seen.last.workers.map(({ oomKills }) => oomKills))).toBeGreaterThan(1);
  });

  it.each([
    ['errors_input', 'input'],
    ['errors_timeout', 'timeout'],
    ['errors_crash', 'crash'],
  ] as const)('%s: errors of its own type and no other', (mechanism, type) => {
    const seen = signatureOf(mechanism);

    expect(seen.errorShare(type)).toBeGreaterThan(0.04);
    for (const other of ['input', 'timeout', 'crash', 'oom'].filter((one) => one !== type)) {
      expect(seen.errorShare(other)).toBeLessThan(0.01);
    }
    expect(Math.max(...seen.kv)).toBeLessThan(0.8);
  });

  it('over_capacity: all wait although the cache has room', () => {
    const seen = signatureOf('over_capacity');

    expect(seen.ttftP50).toBeGreaterThan(5);
    expect(Math.max(...seen.kv)).toBeLessThan(0.85);
    expect(seen.preemptions).toBe(0);
    expect(seen.gpu).toBeGreaterThan(0.9);
    expect(seen.requestsPerSecond).toBeGreaterThan(1.3 * healthy.requestsPerSecond);
  });

  it('noisy_tenant: the smallest tenant sends the most', () => {
    const { gateway } = signatureOf('noisy_tenant').last;
    const of = (tenant: string) =>
      sum(gateway.requests.filter(({ labels }) => labels.tenant === tenant).map(({ value }) => value));

    expect(of('batch-eval')).toBeGreaterThan(of('search'));
  });

  it('rolling_deploy: new workers for old ones, never fewer than before', () => {
    const { last, up } = signatureOf('rolling_deploy');

    expect(up).toHaveLength(6);
    expect(last.workers.length).toBeGreaterThan(7);
    expect(last.workers[0]).toMatchObject({ up: false, isPresent: false });
    expect(last.slo.errorRatio).toBeLessThan(0.01);
  });

  it.each(['traffic_peak', 'kv_high_fine', 'recovered'] as const)('%s: callers are well', (mechanism) => {
    const { last, preemptions } = signatureOf(mechanism);

    expect(last.slo.ttftP99Seconds).toBeLessThan(3);
    expect(last.slo.tbtP99Seconds).toBeLessThan(0.09);
    expect(last.slo.errorRatio).toBeLessThan(0.02);
    if (mechanism !== 'recovered') expect(preemptions).toBe(0);
  });
});
