/** How fast and how large a simulated worker is, and how its scheduler decides. */

import type { World } from './world.js';

export type ServingConfig = {
  readonly blockSize: number;
  readonly blocks: number;
  /** Free blocks an admission must leave, so that running requests can grow. */
  readonly watermarkBlocks: number;
  /** Tokens one iteration may compute, prefill and decode together. */
  readonly tokenBudget: number;
  readonly maxBatch: number;
  /**
   * Iteration time on the GPU: base, prefill tokens × a (more behind a long context), decoding requests × b and their
   * context × c, `eagerMs` beyond the captured batch; then the host's share.
   */
  readonly baseMs: number;
  readonly prefillMsPerToken: number;
  /** More for each thousand tokens that stand before. */
  readonly prefillMsPerTokenPer1kContext: number;
  readonly decodeMs: number;
  readonly decodeMsPer1kContext: number;
  readonly graphBatch: number;
  readonly eagerMs: number;
  readonly hostMs: number;
  /** Gateway and tokeniser, seen by the caller only. */
  readonly frontendMs: number;
  /** A caller without a first token leaves after this long. */
  readonly clientTimeoutMs: number;
  readonly contextMax: number;
  readonly gpuMemoryBytes: number;
  /** The pool is allocated at start, so memory stands here whatever the load. */
  readonly gpuMemoryShare: number;
  /** False: a prompt is computed whole, and decodes wait for it. */
  readonly isChunked: boolean;
  readonly cachesPrefixes: boolean;
  /** Whether an admission takes the blocks of the whole prompt or of its first chunk. */
  readonly admission: 'full_prompt' | 'chunk';
  /** Tokens of one prompt that one iteration computes at most; Infinity for no cap. */
  readonly longPrefillCap: number;
  readonly policy: 'fcfs' | 'priority';
};

/** The demo's fleet. Tuned to a 70B model on H100s: TBT 20–25 ms, TTFT p50 ~200 ms. */
export const DEFAULT_SERVING: ServingConfig = {
  blockSize: 16,
  // 208k tokens: one prompt of 100k fits beside the normal load, two do not.
  blocks: 13_000,
  watermarkBlocks: 30,
  tokenBudget: 1024,
  maxBatch: 80,
  baseMs: 11,
  prefillMsPerToken: 0.045,
  prefillMsPerTokenPer1kContext: 0,
  decodeMs: 0.17,
  decodeMsPer1kContext: 0,
  graphBatch: Number.POSITIVE_INFINITY,
  eagerMs: 0,
  hostMs: 4,
  frontendMs: 90,
  clientTimeoutMs: 20_000,
  contextMax: 131_072,
  gpuMemoryBytes: 80 * 2 ** 30,
  gpuMemoryShare: 0.88,
  isChunked: true,
  cachesPrefixes: false,
  admission: 'full_prompt',
  longPrefillCap: Number.POSITIVE_INFINITY,
  policy: 'fcfs',
};

/** A worker of a world; `stepFactor` stretches the step times of a slower or a larger model. */
export function servingConfigOf({ calibration, scheduler }: World, stepFactor: number): ServingConfig {
  const { step, kv, gpu } = calibration;
  return {
    blockSize: kv.block_size,
    blocks: kv.blocks,
    watermarkBlocks: Math.round(kv.blocks * scheduler.watermark_share),
    tokenBudget: calibration.token_budget,
    maxBatch: calibration.max_batch,
    baseMs: step.base_ms * stepFactor,
    prefillMsPerToken: step.prefill_ms_per_token * stepFactor,
    prefillMsPerTokenPer1kContext: step.prefill_ms_per_token_per_1k_context * stepFactor,
    decodeMs: step.decode_ms_per_request * stepFactor,
    decodeMsPer1kContext: step.decode_ms_per_1k_context * stepFactor,
    graphBatch: step.graph_batch ?? Number.POSITIVE_INFINITY,
    eagerMs: step.eager_ms * stepFactor,
    hostMs: step.host_ms,
    frontendMs: calibration.frontend_ms,
    clientTimeoutMs: calibration.patience_s * 1000,
    contextMax: calibration.context_max,
    gpuMemoryBytes: gpu.memory_bytes,
    gpuMemoryShare: gpu.pool_share,
    isChunked: scheduler.chunked_prefill,
    cachesPrefixes: scheduler.prefix_caching,
    admission: scheduler.admission,
    longPrefillCap: scheduler.long_prefill_cap_tokens ?? Number.POSITIVE_INFINITY,
    policy: scheduler.policy,
  };
}
