/** What can be seen of a simulated fleet at one moment. Counters only grow, except over a worker's restart. */

import type { HistogramSnapshot } from './histogram.js';

export type WorkerCounts = {
  readonly preemptions: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  /** Prompt tokens looked up in the prefix cache, and how many of them were there. */
  readonly prefixQueryTokens: number;
  readonly prefixHitTokens: number;
  readonly finishes: { readonly stop: number; readonly abort: number; readonly error: number };
  /** Errors by type since the front end started; all of them are in `finishes.error` too. */
  readonly errorTypes: Readonly<Record<string, number>>;
  readonly ttft: HistogramSnapshot;
  readonly interToken: HistogramSnapshot;
  readonly queueWait: HistogramSnapshot;
  readonly duration: HistogramSnapshot;
  readonly requestQueue: HistogramSnapshot;
  readonly requestPrefill: HistogramSnapshot;
  readonly requestDecode: HistogramSnapshot;
  readonly promptLength: HistogramSnapshot;
  readonly outputLength: HistogramSnapshot;
};

export type WorkerSnapshot = WorkerCounts & {
  readonly name: string;
  readonly model: string;
  /** False while it restarts: nothing then answers its scrapes. */
  readonly up: boolean;
  /** False once its pod is gone for good: service discovery no longer lists it. */
  readonly isPresent: boolean;
  readonly restarts: number;
  /** Restarts for want of GPU memory, part of `restarts`. */
  readonly oomKills: number;
  /** When the present process started serving, simulated ms. */
  readonly startedMs: number;
  readonly running: number;
  readonly waiting: number;
  readonly batchMax: number;
  readonly blocksTotal: number;
  readonly blocksFree: number;
  /** Tokens a block holds. */
  readonly blockSize: number;
  readonly contextMax: number;
  /** 0 to 1. */
  readonly gpuUtilisation: number;
  /** Share of time the tensor cores computed, 0 to 1. */
  readonly gpuTensorActive: number;
  readonly gpuMemoryTotal: number;
  readonly gpuMemoryUsed: number;
};

/** One labelled series of the gateway. */
export type Labelled<T> = { readonly labels: Readonly<Record<string, string>>; readonly value: T };

export type GatewaySnapshot = {
  readonly ttft: readonly Labelled<HistogramSnapshot>[];
  readonly tbt: readonly Labelled<HistogramSnapshot>[];
  readonly duration: readonly Labelled<HistogramSnapshot>[];
  readonly promptTokens: readonly Labelled<HistogramSnapshot>[];
  readonly requests: readonly Labelled<number>[];
  readonly errors: readonly Labelled<number>[];
};

export type FleetSnapshot = {
  /** Simulated ms since the fleet was created. */
  readonly simulatedMs: number;
  readonly scenario: string;
  readonly place: { readonly cluster: string; readonly namespace: string; readonly model: string };
  readonly workers: readonly WorkerSnapshot[];
  readonly gateway: GatewaySnapshot;
};
