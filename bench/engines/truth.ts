/**
 * A fleet whose every quantity is known beforehand: gauges stand still, counters grow at a constant rate, and each
 * latency is drawn round and round from a fixed list. Whoever asks a question about it can work out the answer.
 */

/** Seconds, or tokens: what one request showed, each equally often. */
export type Samples = readonly number[];

export type ErrorKind = 'oom' | 'crash' | 'timeout' | 'overload' | 'input';

export type TruthWorker = {
  /** Its pod's name. */
  readonly name: string;
  readonly node: string;
  readonly running: number;
  readonly waiting: number;
  readonly batchMax: number;
  readonly blocksTotal: number;
  readonly blocksFree: number;
  readonly contextMax: number;
  readonly preemptionsPerSecond: number;
  /** Requests that ended well, and that their callers left, per second. */
  readonly servedPerSecond: number;
  readonly abortedPerSecond: number;
  readonly errorsPerSecond: Readonly<Record<ErrorKind, number>>;
  readonly ttft: Samples;
  readonly interToken: Samples;
  readonly duration: Samples;
  readonly queueWait: Samples;
  readonly promptTokens: Samples;
  readonly outputTokens: Samples;
  /** Share of prompt tokens that the prefix cache had. */
  readonly cachedShare: number;
  /** Seconds after the start at which its process was replaced; null for never. */
  readonly restartedAt: number | null;
  readonly gpu: TruthGpu;
};

export type TruthGpu = {
  readonly index: number;
  readonly uuid: string;
  /** 0 to 1. */
  readonly utilization: number;
  readonly tensorActive: number;
  readonly usedMiB: number;
  readonly freeMiB: number;
  readonly reservedMiB: number;
  readonly celsius: number;
};

export const MODEL = 'llama-70b';
export const NAMESPACE = 'serving';

export const BLOCK_SIZE = 16;

/** Of 0.88 to 0.96 used; no two workers alike, so that a mean, a maximum and a sum cannot be mistaken for each other. */
export const WORKERS: readonly TruthWorker[] = [
  worker(0, { node: 'gpu-node-0', running: 31, waiting: 3, blocksFree: 1440, preemptions: 0.4, scale: 1 }),
  worker(1, { node: 'gpu-node-0', running: 42, waiting: 17, blocksFree: 360, preemptions: 1.9, scale: 1.7 }),
  worker(2, { node: 'gpu-node-1', running: 12, waiting: 0, blocksFree: 6120, preemptions: 0.1, scale: 0.6 }),
  worker(3, {
    node: 'gpu-node-1',
    running: 25,
    waiting: 8,
    blocksFree: 2880,
    preemptions: 0.7,
    scale: 1.2,
    restartedAt: 15,
  }),
];

export const KUBERNETES = {
  deployment: 'llama-70b-decode',
  replicasWanted: 5,
  replicasAvailable: 3,
  /** Phase by pod; the fifth pod of the deployment waits for a node. */
  pending: ['llama-70b-4'],
  notReady: ['llama-70b-2', 'llama-70b-4'],
  /** Restarts of containers since the start, by pod, and when the last happened. */
  restarts: { 'llama-70b-3': { count: 2, at: 15, reason: 'OOMKilled' } },
  quota: { resource: 'requests.nvidia.com/gpu', used: 6, hard: 8 },
  /** Waits to be started again after crashes. */
  crashLoops: ['llama-70b-2'],
  autoscaler: { desired: 5, max: 5 },
} as const;

/** A double-bit error of one worker's GPU, some seconds after the start. */
export const XID = { worker: 'llama-70b-1', code: 48, at: 12 } as const;

/** All requests that ended in a second. */
export function finishedPerSecond(worker: TruthWorker): number {
  const errors = Object.values(worker.errorsPerSecond).reduce((sum, rate) => sum + rate, 0);
  return worker.servedPerSecond + worker.abortedPerSecond + errors;
}

export function mean(samples: Samples): number {
  return samples.reduce((sum, value) => sum + value, 0) / samples.length;
}

export function promptTokensPerSecond(worker: TruthWorker): number {
  return finishedPerSecond(worker) * mean(worker.promptTokens);
}

export function generatedTokensPerSecond(worker: TruthWorker): number {
  return finishedPerSecond(worker) * mean(worker.outputTokens);
}

/** What a counter of this worker shows after `seconds`, having begun anew when its process was replaced. */
export function counted(worker: TruthWorker, perSecond: number, seconds: number): number {
  const since =
    worker.restartedAt === null || seconds < worker.restartedAt ? seconds : seconds - worker.restartedAt;
  return perSecond * since;
}

type Own = {
  readonly node: string;
  readonly running: number;
  readonly waiting: number;
  readonly blocksFree: number;
  readonly preemptions: number;
  /** Latencies and traffic are this many times those of the first. */
  readonly scale: number;
  readonly restartedAt?: number;
};

function worker(index: number, own: Own): TruthWorker {
  const { scale } = own;
  const usedMiB = 70_000 + 1500 * index;
  return {
    name: `${MODEL}-${index}`,
    node: own.node,
    running: own.running,
    waiting: own.waiting,
    batchMax: 64,
    blocksTotal: 12_000,
    blocksFree: own.blocksFree,
    contextMax: 131_072,
    preemptionsPerSecond: own.preemptions,
    servedPerSecond: 20 * scale,
    abortedPerSecond: 0.5 * scale,
    errorsPerSecond: {
      oom: 0.2 * scale,
      crash: 0.1 * scale,
      timeout: 0.3 * scale,
      overload: 0.15 * scale,
      input: 0.25 * scale,
    },
    ttft: spread(0.32 * scale, 0.9),
    interToken: spread(0.028 * scale, 0.5),
    duration: spread(6.5 * scale, 0.7),
    queueWait: spread(0.7 * scale, 1),
    promptTokens: [...spread(900, 1.1, 970), ...spread(52_000 * scale, 0.25, 30)].map(Math.round),
    outputTokens: spread(210, 0.6).map(Math.round),
    cachedShare: 0.2 + 0.1 * index,
    restartedAt: own.restartedAt ?? null,
    gpu: {
      index: index % 2,
      uuid: `GPU-0000000${index}-aaaa-bbbb-cccc-dddddddddddd`,
      utilization: 0.61 + 0.09 * index,
      tensorActive: 0.21 + 0.05 * index,
      usedMiB,
      freeMiB: 81_000 - usedMiB,
      reservedMiB: 559,
      celsius: 58 + 4 * index,
    },
  };
}

/** A log-normal list of `count` values round a median. */
function spread(median: number, sigma: number, count = 1000): number[] {
  return Array.from(
    { length: count },
    (_, k) => median * Math.exp(sigma * normalQuantile((k + 0.5) / count)),
  );
}

/** Standard normal quantile by bisection of the error function's series; good to 1e-6, which is plenty here. */
function normalQuantile(p: number): number {
  let low = -8;
  let high = 8;
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function normalCdf(z: number): number {
  // Abramowitz and Stegun 7.1.26.
  const t = 1 / (1 + (0.3275911 * Math.abs(z)) / Math.SQRT2);
  const poly =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const erf = 1 - poly * Math.exp((-z * z) / 2);
  return z < 0 ? (1 - erf) / 2 : (1 + erf) / 2;
}
