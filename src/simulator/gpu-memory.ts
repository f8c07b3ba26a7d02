/** The memory of one worker's GPUs: the pool that is allocated at start, what the batch adds, and what is never freed. */

import type { ServingConfig } from './serving-config.js';

/** Activations of a full batch, as a share of the memory. */
const BATCH_SHARE = 0.015;
/** Headroom, as a share of the memory, in which a full token budget's activations fit. */
const BUDGET_SHARE = 0.02;

export type GpuMemory = {
  /** Memory that somebody took and does not give back before a restart, bytes. */
  readonly grow: (bytes: number) => void;
  readonly reset: () => void;
  readonly usedBytes: (running: number) => number;
  /** Nothing is left, even without work. */
  readonly isExhausted: () => boolean;
  /** Tokens of one prefill part for whose activations there is room. */
  readonly roomForTokens: (running: number) => number;
};

export function createGpuMemory(config: ServingConfig): GpuMemory {
  let grown = 0;
  const total = config.gpuMemoryBytes;
  const wanted = (running: number) =>
    total * (config.gpuMemoryShare + BATCH_SHARE * (running / config.maxBatch)) + grown;
  return {
    grow(bytes) {
      grown += bytes;
    },
    reset() {
      grown = 0;
    },
    usedBytes: (running) => Math.min(total, wanted(running)),
    isExhausted: () => wanted(0) >= total,
    roomForTokens: (running) =>
      grown === 0
        ? Number.POSITIVE_INFINITY
        : Math.max(0, ((total - wanted(running)) / (total * BUDGET_SHARE)) * config.tokenBudget),
  };
}
