/** What each signal has to read on the known fleet, within what an engine's bucket edges allow. */

import type { Dialect } from './dialect.js';
import { shareUpTo } from './exposition.js';
import {
  finishedPerSecond,
  generatedTokensPerSecond,
  KUBERNETES,
  promptTokensPerSecond,
  type Samples,
  type TruthWorker,
  WORKERS,
  XID,
} from './truth.js';

/** By key: a worker's name, the value of the splitting label, or `''` for one figure of the scope. */
export type Expectation = Readonly<Record<string, Range>>;
/** Both ends belong to it. */
export type Range = { readonly low: number; readonly high: number };

/** Prometheus extrapolates a rate to the ends of its window, and the restart is seen a scrape late. */
const RATE_TOLERANCE = 0.06;
const EXACT_TOLERANCE = 1e-6;
const MIB = 2 ** 20;

/** Null where nothing can be expected: the dialect does not show it. */
export function expectationOf(signal: string, dialect: Dialect): Expectation | null {
  return dialect.proxies?.[signal] ?? EXPECTED[signal]?.(dialect) ?? null;
}

export function exactly(value: number): Range {
  const margin = Math.abs(value) * EXACT_TOLERANCE;
  return { low: value - margin, high: value + margin };
}

export function about(value: number, tolerance = RATE_TOLERANCE): Range {
  const margin = Math.abs(value) * tolerance;
  return { low: value - margin, high: value + margin };
}

/** The same reading of every worker. */
export function eachWorker(read: (worker: TruthWorker) => Range): Expectation {
  return Object.fromEntries(WORKERS.map((worker) => [worker.name, read(worker)]));
}

export function sumOf(read: (worker: TruthWorker) => number): number {
  return WORKERS.reduce((sum, worker) => sum + read(worker), 0);
}

type Expect = (dialect: Dialect) => Expectation | null;

const gauge =
  (read: (worker: TruthWorker) => number): Expect =>
  () =>
    eachWorker((worker) => exactly(read(worker)));
const rate =
  (read: (worker: TruthWorker) => number): Expect =>
  () =>
    eachWorker((worker) => about(read(worker)));
const figure =
  (range: (dialect: Dialect) => Range): Expect =>
  (dialect) => ({ '': range(dialect) });

type Kind = keyof Dialect['edges'];

const DRAWN: Readonly<
  Record<Kind, { samples: (worker: TruthWorker) => Samples; perSecond: (worker: TruthWorker) => number }>
> = {
  ttft: { samples: (w) => w.ttft, perSecond: finishedPerSecond },
  tbt: { samples: (w) => w.interToken, perSecond: generatedTokensPerSecond },
  duration: { samples: (w) => w.duration, perSecond: finishedPerSecond },
  queueWait: { samples: (w) => w.queueWait, perSecond: finishedPerSecond },
  promptTokens: { samples: (w) => w.promptTokens, perSecond: finishedPerSecond },
};

/** The bucket that the true quantile lies in; the last finite edge where it lies beyond. */
const quantile =
  (q: number, kind: Kind): Expect =>
  ({ edges }) => {
    const known = edges[kind];
    if (known === undefined) return null;
    const truth = pooledQuantile(q, kind);
    const upper = known.find((edge) => truth <= edge);
    const below = known.filter((edge) => edge < truth);
    const last = known[known.length - 1] ?? 0;
    if (upper === undefined) return { '': exactly(last) };
    return { '': { low: below[below.length - 1] ?? 0, high: upper } };
  };

/** The value that a share `q` of all workers' observations do not exceed. */
export function pooledQuantile(q: number, kind: Kind): number {
  const { samples, perSecond } = DRAWN[kind];
  const weighted = WORKERS.flatMap((worker) => {
    const drawn = samples(worker);
    return drawn.map((value) => ({ value, weight: perSecond(worker) / drawn.length }));
  }).sort((a, b) => a.value - b.value);
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  let reached = 0;
  for (const { value, weight } of weighted) {
    reached += weight;
    if (reached >= q * total) return value;
  }
  return weighted[weighted.length - 1]?.value ?? Number.NaN;
}

const LONG_TOKENS = 32_768;

/** Between the shares above the nearest edges on either side of what "long" means. */
const longPromptShare: Expect = ({ edges }) => {
  const known = edges.promptTokens;
  if (known === undefined) return null;
  const last = known[known.length - 1] ?? 0;
  const above = known.find((edge) => edge >= LONG_TOKENS) ?? last;
  const below = known.filter((edge) => edge <= LONG_TOKENS).pop() ?? 0;
  const share = (edge: number) =>
    1 - sumOf((w) => finishedPerSecond(w) * shareUpTo(w.promptTokens, edge)) / sumOf(finishedPerSecond);
  return { '': { low: about(share(above)).low, high: about(share(below)).high } };
};

const EXPECTED: Readonly<Record<string, Expect>> = {
  kv_cache_utilization: gauge((w) => 1 - w.blocksFree / w.blocksTotal),
  queue_depth: gauge((w) => w.waiting),
  requests_running: gauge((w) => w.running),
  batch_size_max: gauge((w) => w.batchMax),
  kv_blocks_free: gauge((w) => w.blocksFree),
  kv_blocks_total: gauge((w) => w.blocksTotal),
  kv_fragmentation_ratio: gauge(() => 0.02),
  preemption_rate: rate((w) => w.preemptionsPerSecond),
  preemption_rate_by_reason: () => ({ memory: about(sumOf((w) => w.preemptionsPerSecond)) }),
  gpu_utilization: gauge((w) => w.gpu.utilization),
  gpu_tensor_active_ratio: gauge((w) => w.gpu.tensorActive),
  gpu_temperature_celsius: gauge((w) => w.gpu.celsius),
  gpu_memory_ratio: gauge((w) => w.gpu.usedMiB / (w.gpu.usedMiB + w.gpu.freeMiB + w.gpu.reservedMiB)),
  gpu_memory_used_bytes: gauge((w) => w.gpu.usedMiB * MIB),
  gpu_memory_total_bytes: gauge((w) => (w.gpu.usedMiB + w.gpu.freeMiB + w.gpu.reservedMiB) * MIB),
  generation_tokens_rate: rate(generatedTokensPerSecond),
  prompt_tokens_rate: rate(promptTokensPerSecond),
  prefix_cache_hit_ratio: figure(() =>
    about(sumOf((w) => promptTokensPerSecond(w) * w.cachedShare) / sumOf(promptTokensPerSecond), 0.01),
  ),
  worker_restarts: gauge((w) => (w.restartedAt === null ? 0 : 1)),
  worker_up: gauge(() => 1),
  context_length_max: gauge((w) => w.contextMax),
  ttft_p50_seconds: quantile(0.5, 'ttft'),
  ttft_p95_seconds: quantile(0.95, 'ttft'),
  ttft_p99_seconds: quantile(0.99, 'ttft'),
  tbt_p50_seconds: quantile(0.5, 'tbt'),
  tbt_p99_seconds: quantile(0.99, 'tbt'),
  request_duration_p99_seconds: quantile(0.99, 'duration'),
  queue_wait_p99_seconds: quantile(0.99, 'queueWait'),
  prompt_tokens_p50: quantile(0.5, 'promptTokens'),
  prompt_tokens_p99: quantile(0.99, 'promptTokens'),
  long_prompt_share: longPromptShare,
  request_rate: figure(() => about(sumOf(finishedPerSecond))),
  error_ratio: ({ failures }) =>
    failures.length === 0
      ? null
      : {
          '': about(
            sumOf((w) => failures.reduce((sum, kind) => sum + w.errorsPerSecond[kind], 0)) /
              sumOf(finishedPerSecond),
            0.02,
          ),
        },
  error_rate_by_type: ({ errorTypes }) => {
    const kinds = Object.entries(errorTypes);
    if (kinds.length === 0) return null;
    return Object.fromEntries(
      kinds.map(([type, stands]) => [
        type,
        about(
          sumOf((w) =>
            stands.reduce(
              (sum, kind) => sum + (kind === 'abort' ? w.abortedPerSecond : w.errorsPerSecond[kind]),
              0,
            ),
          ),
        ),
      ]),
    );
  },
  // The canonical gateway here has no tenants: everything is of one without a name.
  request_rate_by_tenant: figure(() => about(sumOf(finishedPerSecond))),
  prompt_tokens_rate_by_tenant: figure(() => about(sumOf(promptTokensPerSecond))),
  error_rate_by_tenant: ({ failures }) => ({
    '': about(sumOf((w) => failures.reduce((sum, kind) => sum + w.errorsPerSecond[kind], 0))),
  }),
  gpu_xid_code: () => eachWorker((w) => exactly(w.name === XID.worker ? XID.code : 0)),
  requests_in_progress: figure(() => exactly(sumOf((w) => w.running + w.waiting))),
  replicas_available: figure(() => exactly(WORKERS.length)),
};

/** What kube-state-metrics knows, which no engine does. */
export const KUBERNETES_EXPECTED: Readonly<Record<string, Expectation>> = {
  pods_pending: { '': exactly(KUBERNETES.pending.length) },
  pods_not_ready: { '': exactly(KUBERNETES.notReady.length) },
  oom_kills: { '': exactly(1) },
  crash_loops: { '': exactly(KUBERNETES.crashLoops.length) },
  autoscaler_at_max: { '': exactly(1) },
  replicas_wanted: { '': exactly(KUBERNETES.replicasWanted) },
  replicas_available: { '': exactly(KUBERNETES.replicasAvailable) },
  quota_used_ratio: { [KUBERNETES.quota.resource]: exactly(KUBERNETES.quota.used / KUBERNETES.quota.hard) },
  worker_restarts: eachWorker((w) =>
    exactly((KUBERNETES.restarts as Record<string, { count: number }>)[w.name]?.count ?? 0),
  ),
};
