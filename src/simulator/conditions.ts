/** What the faults and the operator make of a run at one moment. Built anew each second, so that nothing lingers. */

import type { ServingConfig } from './serving-config.js';

export type Documents = {
  /** Over the whole model. */
  ratePerSecond: number;
  tokens: number;
  outputTokens: number;
};

export type WorkerConditions = {
  hostDelayMs: number;
  admissionsPerSecond: number;
  leakShare: number;
  isDeadlocked: boolean;
  isHung: boolean;
  maxBatch: number;
  tokenBudget: number;
  longPrefillCap: number;
  graphBatch: number;
  eagerMs: number;
  /** The router sends it nothing. */
  isDrained: boolean;
  /** Its pod is away and stays away. */
  isGone: boolean;
  /** GPU memory that somebody takes, bytes a second. */
  memoryBytesPerSecond: number;
  /** Mean time between crashes of the engine; Infinity for none. */
  crashEveryMs: number;
  crashDownMs: number;
};

export type Conditions = {
  /** Times the usual rate of the watched model. */
  rate: number;
  /** Times the world's slow variation of the rate. */
  swing: number;
  /** Times the usual rate of each tenant. */
  readonly tenantRate: number[];
  promptScale: number;
  outputScale: number;
  documents: Documents | null;
  /** Share of the requests that the tokeniser refuses. */
  invalidShare: number;
  deadlineMs: number;
  /** Share of the requests that the router sends to one worker, whatever it holds. */
  pinnedShare: number;
  pinnedWorker: number;
  readonly workers: WorkerConditions[];
};

/** Nothing wrong and nothing done. */
export function calmConditions(
  config: ServingConfig,
  workers: number,
  tenants: number,
  deadlineMs: number,
): Conditions {
  return {
    rate: 1,
    swing: 1,
    tenantRate: Array.from({ length: tenants }, () => 1),
    promptScale: 1,
    outputScale: 1,
    documents: null,
    invalidShare: 0,
    deadlineMs,
    pinnedShare: 0,
    pinnedWorker: 0,
    workers: Array.from({ length: workers }, () => ({
      hostDelayMs: 0,
      admissionsPerSecond: Number.POSITIVE_INFINITY,
      leakShare: 0,
      isDeadlocked: false,
      isHung: false,
      maxBatch: config.maxBatch,
      tokenBudget: config.tokenBudget,
      longPrefillCap: config.longPrefillCap,
      graphBatch: config.graphBatch,
      eagerMs: config.eagerMs,
      isDrained: false,
      isGone: false,
      memoryBytesPerSecond: 0,
      crashEveryMs: Number.POSITIVE_INFINITY,
      crashDownMs: 0,
    })),
  };
}
