/** How fast and how large a simulated worker is. Tuned to a 70B model on H100s: TBT 20–25 ms, TTFT p50 ~200 ms. */

export type ServingConfig = {
  readonly blockSize: number;
  readonly blocks: number;
  /** Free blocks an admission must leave, so that running requests can grow. */
  readonly watermarkBlocks: number;
  /** Tokens one iteration may compute, prefill and decode together. */
  readonly tokenBudget: number;
  readonly maxBatch: number;
  /** Iteration time: base + prefill tokens × a + decoding requests × b, then the host's share. */
  readonly baseMs: number;
  readonly prefillMsPerToken: number;
  readonly decodeMs: number;
  readonly hostMs: number;
  /** Gateway and tokeniser, seen by the caller only. */
  readonly frontendMs: number;
  /** A caller without a first token leaves after this long. */
  readonly clientTimeoutMs: number;
  readonly contextMax: number;
  readonly gpuMemoryBytes: number;
  /** The pool is allocated at start, so memory stands here whatever the load. */
  readonly gpuMemoryShare: number;
};

export const DEFAULT_SERVING: ServingConfig = {
  blockSize: 16,
  // 208k tokens: one prompt of 100k fits beside the normal load, two do not.
  blocks: 13_000,
  watermarkBlocks: 30,
  tokenBudget: 1024,
  maxBatch: 80,
  baseMs: 11,
  prefillMsPerToken: 0.045,
  decodeMs: 0.17,
  hostMs: 4,
  frontendMs: 90,
  clientTimeoutMs: 20_000,
  contextMax: 131_072,
  gpuMemoryBytes: 80 * 2 ** 30,
  gpuMemoryShare: 0.88,
};
