/** Every catalog signal, computed from snapshots the way the engine files ask Prometheus for it. */

import { kvUtilisation } from './exporter.js';
import type { DatedSnapshot } from './fleet-history.js';
import {
  type HistogramSnapshot,
  histogramIncrease,
  histogramQuantile,
  mergeHistograms,
} from './histogram.js';
import type { FleetSnapshot, Labelled, WorkerSnapshot } from './snapshot.js';

export type SignalValue = {
  readonly worker: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

/** Values at the last of `window`, rates over all of it, oldest snapshot first. Null: no traffic to tell from. */
export type SignalReader = (window: readonly DatedSnapshot[]) => readonly SignalValue[] | null;

const LONG_PROMPT_TOKENS = 32_768;
/** An H100 in a rack with air cooling, idle and what full load adds. */
const IDLE_CELSIUS = 42;
const LOAD_CELSIUS = 33;

const ofScope = (value: number): SignalValue[] => [{ worker: null, labels: {}, value }];
const last = (window: readonly DatedSnapshot[]) => window[window.length - 1]?.snapshot;

/** A gauge of each worker that answers. */
function gauge(read: (worker: WorkerSnapshot) => number): SignalReader {
  return (window) =>
    (last(window)?.workers ?? [])
      .filter((worker) => worker.up)
      .map((worker) => ({ worker: worker.name, labels: {}, value: read(worker) }));
}

function seconds(window: readonly DatedSnapshot[]): number {
  const first = window[0];
  const end = window[window.length - 1];
  return first === undefined || end === undefined ? 0 : (end.atMs - first.atMs) / 1000;
}

/** Growth of a counter over the window, a reset counting from zero. */
function increase(window: readonly DatedSnapshot[], read: (snapshot: FleetSnapshot) => number): number {
  let total = 0;
  for (let index = 1; index < window.length; index += 1) {
    const before = window[index - 1];
    const after = window[index];
    if (before === undefined || after === undefined) continue;
    const from = read(before.snapshot);
    const to = read(after.snapshot);
    total += to >= from ? to - from : to;
  }
  return total;
}

function workerIncrease(perSecond: boolean, read: (worker: WorkerSnapshot) => number): SignalReader {
  return (window) => {
    const elapsed = seconds(window);
    if (elapsed <= 0) return null;
    return (last(window)?.workers ?? [])
      .filter((worker) => worker.up || !perSecond)
      .map(({ name }) => {
        const grown = increase(window, ({ workers }) => {
          const worker = workers.find((candidate) => candidate.name === name);
          return worker === undefined ? 0 : read(worker);
        });
        return { worker: name, labels: {}, value: perSecond ? grown / elapsed : grown };
      });
  };
}

/** Growth of a counter over all workers, each by itself: a restart of one resets only its own. */
function workerTotal(window: readonly DatedSnapshot[], read: (worker: WorkerSnapshot) => number): number {
  const names = (last(window)?.workers ?? []).map(({ name }) => name);
  return names
    .map((name) =>
      increase(window, ({ workers }) => {
        const worker = workers.find((candidate) => candidate.name === name);
        return worker === undefined ? 0 : read(worker);
      }),
    )
    .reduce((sum, value) => sum + value, 0);
}

type Family = (snapshot: FleetSnapshot) => readonly HistogramSnapshot[];

function observed(window: readonly DatedSnapshot[], family: Family): HistogramSnapshot | null {
  const first = window[0]?.snapshot;
  const end = last(window);
  if (first === undefined || end === undefined || window.length < 2) return null;
  // Series by series, as rate() does: a worker's restart resets only its own.
  const before = family(first);
  const parts = family(end).map((after, index) => histogramIncrease(before[index] ?? null, after));
  const merged = mergeHistograms(parts);
  return merged === null || merged.count === 0 ? null : merged;
}

function quantile(q: number, family: Family): SignalReader {
  return (window) => {
    const histogram = observed(window, family);
    return histogram === null ? null : ofScope(histogramQuantile(q, histogram));
  };
}

const valuesOf = <T>(series: readonly Labelled<T>[]) => series.map(({ value }) => value);
const total = (series: readonly Labelled<number>[]) => series.reduce((sum, { value }) => sum + value, 0);
const ttft: Family = ({ gateway }) => valuesOf(gateway.ttft);
const tbt: Family = ({ gateway }) => valuesOf(gateway.tbt);
const duration: Family = ({ gateway }) => valuesOf(gateway.duration);
const prompts: Family = ({ gateway }) => valuesOf(gateway.promptTokens);
const queueWait: Family = ({ workers }) => workers.map((worker) => worker.queueWait);

function longPromptShare(window: readonly DatedSnapshot[]): SignalValue[] | null {
  const histogram = observed(window, prompts);
  if (histogram === null) return null;
  const short = histogram.counts.reduce(
    (sum, count, bucket) =>
      (histogram.bounds[bucket] ?? Number.POSITIVE_INFINITY) <= LONG_PROMPT_TOKENS ? sum + count : sum,
    0,
  );
  return ofScope(1 - short / histogram.count);
}

function errorRateByType(window: readonly DatedSnapshot[]): SignalValue[] | null {
  const elapsed = seconds(window);
  if (elapsed <= 0) return null;
  const types = new Set((last(window)?.gateway.errors ?? []).map(({ labels }) => labels.error_type ?? ''));
  return [...types].map((errorType) => ({
    worker: null,
    labels: { error_type: errorType },
    value:
      increase(window, ({ gateway }) =>
        total(gateway.errors.filter(({ labels }) => labels.error_type === errorType)),
      ) / elapsed,
  }));
}

function requestRate(window: readonly DatedSnapshot[]): number {
  const elapsed = seconds(window);
  return elapsed <= 0 ? 0 : increase(window, ({ gateway }) => total(gateway.requests)) / elapsed;
}

const preemptions = workerIncrease(true, (worker) => worker.preemptions);

export const SIMULATED_SIGNALS: Readonly<Record<string, SignalReader>> = {
  kv_cache_utilization: gauge(kvUtilisation),
  queue_depth: gauge((worker) => worker.waiting),
  requests_running: gauge((worker) => worker.running),
  batch_size_max: gauge((worker) => worker.batchMax),
  kv_blocks_free: gauge((worker) => worker.blocksFree),
  kv_blocks_total: gauge((worker) => worker.blocksTotal),
  kv_fragmentation_ratio: gauge(() => 0),
  preemption_rate: preemptions,
  preemption_rate_by_reason: (window) => {
    const rates = preemptions(window);
    if (rates === null) return null;
    const value = rates.reduce((sum, rate) => sum + rate.value, 0);
    return [{ worker: null, labels: { reason: 'memory' }, value }];
  },
  gpu_utilization: gauge((worker) => worker.gpuUtilisation),
  gpu_memory_ratio: gauge((worker) => worker.gpuMemoryUsed / worker.gpuMemoryTotal),
  gpu_memory_used_bytes: gauge((worker) => worker.gpuMemoryUsed),
  gpu_memory_total_bytes: gauge((worker) => worker.gpuMemoryTotal),
  gpu_temperature_celsius: gauge((worker) => IDLE_CELSIUS + LOAD_CELSIUS * worker.gpuUtilisation),
  gpu_tensor_active_ratio: gauge((worker) => worker.gpuTensorActive),
  generation_tokens_rate: workerIncrease(true, (worker) => worker.generatedTokens),
  prompt_tokens_rate: workerIncrease(true, (worker) => worker.promptTokens),
  worker_restarts: workerIncrease(false, (worker) => worker.restarts),
  worker_up: (window) =>
    (last(window)?.workers ?? []).map(({ name, up }) => ({ worker: name, labels: {}, value: up ? 1 : 0 })),
  context_length_max: gauge((worker) => worker.contextMax),
  ttft_p50_seconds: quantile(0.5, ttft),
  ttft_p95_seconds: quantile(0.95, ttft),
  ttft_p99_seconds: quantile(0.99, ttft),
  tbt_p50_seconds: quantile(0.5, tbt),
  tbt_p99_seconds: quantile(0.99, tbt),
  request_duration_p99_seconds: quantile(0.99, duration),
  queue_wait_p99_seconds: quantile(0.99, queueWait),
  prompt_tokens_p50: quantile(0.5, prompts),
  prompt_tokens_p99: quantile(0.99, prompts),
  long_prompt_share: longPromptShare,
  prefix_cache_hit_ratio(window) {
    const asked = workerTotal(window, (worker) => worker.prefixQueryTokens);
    // Workers that keep no prefixes look none up.
    return ofScope(asked === 0 ? 0 : workerTotal(window, (worker) => worker.prefixHitTokens) / asked);
  },
  request_rate: (window) => (window.length < 2 ? null : ofScope(requestRate(window))),
  error_ratio(window) {
    const requests = increase(window, ({ gateway }) => total(gateway.requests));
    return requests === 0
      ? null
      : ofScope(increase(window, ({ gateway }) => total(gateway.errors)) / requests);
  },
  error_rate_by_type: errorRateByType,
  requests_in_progress: (window) => {
    const workers = last(window)?.workers ?? [];
    return ofScope(workers.reduce((sum, worker) => sum + worker.running + worker.waiting, 0));
  },
  replicas_available: (window) => ofScope((last(window)?.workers ?? []).filter(({ up }) => up).length),
  replicas_wanted: (window) => ofScope((last(window)?.workers ?? []).length),
  pods_not_ready: (window) => ofScope((last(window)?.workers ?? []).filter(({ up }) => !up).length),
  // A worker that crashes comes back on its node, and the quota is as large as the fleet.
  pods_pending: () => ofScope(0),
  oom_kills: (window) => ofScope(workerTotal(window, (worker) => worker.oomKills)),
  quota_used_ratio: () => [{ worker: null, labels: { resource: 'requests.nvidia.com/gpu' }, value: 1 }],
};
