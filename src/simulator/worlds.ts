/**
 * Worlds that come with the simulator. Step times follow from what the hardware can do, and are written out below so
 * that a reader can disagree:
 *
 * - base: the weights are read once an iteration, at about 70% of the memory bandwidth (H100 SXM 3.35 TB/s, A100 80 GB
 *   2.04 TB/s, L40S 0.86 TB/s: NVIDIA data sheets), plus some ms of all-reduce with tensor parallelism.
 * - prefill: 2 FLOP a parameter and token at about 50% of the dense peak (H100 989 TFLOPS BF16, A100 312, L40S 362).
 *   Attention adds 4 × layers × width FLOP a token for each token before it.
 * - decode: what each more request costs (sampling, detokenising, its share of the matrix products); Splitwise (Patel et
 *   al., ISCA 2024, figures 5 and 6) measures TBT growing by about half from batch 1 to 64 for Llama2-70B on H100s.
 * - KV: 2 × layers × KV heads × head size × 2 bytes a token: Llama-3.1-70B 320 KiB, Llama-3.1-8B 128 KiB. The pool is
 *   what `--gpu-memory-utilization 0.9` leaves beside the weights.
 * - vLLM's defaults: block size 16, max_num_seqs 256, CUDA graphs captured up to a batch of 512 (vllm/config). Chunked
 *   prefill is held so small that a step stays below 80 ms, as docs/configuration/optimization.md advises for ITL.
 * - traffic: lengths of the Azure LLM inference traces 2023 and 2024 (conversation: median prompt about 1,000, output
 *   100–250) and of Mooncake's (Qin et al., FAST 2025: prompts of 7,000–12,000 tokens on average, much of it shared).
 * - model load: minutes, as Llumnix and ServerlessLLM (Fu et al., OSDI 2024) report for 70B from disk.
 */

import { World, type WorldInput } from './world.js';

const GIB = 2 ** 30;

const HOPPER_70B: WorldInput = {
  name: 'h100-70b-tp4',
  description: 'Llama-3.1-70B on four H100s a worker: chat of middling length, two tenants.',
  sources: [
    'NVIDIA H100 data sheet',
    'Splitwise, ISCA 2024, figures 5 and 6',
    'vLLM docs/configuration/optimization.md',
    'Azure LLM inference trace 2023',
  ],
  calibration: {
    step: {
      base_ms: 16,
      prefill_ms_per_token: 0.072,
      prefill_ms_per_token_per_1k_context: 0.0013,
      decode_ms_per_request: 0.06,
      decode_ms_per_1k_context: 0.035,
      host_ms: 4,
      graph_batch: 512,
      eager_ms: 30,
    },
    // 4 × 80 GiB × 0.9 − 131 GiB of weights − activations: about 144 GiB at 320 KiB a token.
    kv: { block_size: 16, blocks: 29_000 },
    max_batch: 384,
    token_budget: 512,
    context_max: 131_072,
    gpu: { memory_bytes: 320 * GIB, pool_share: 0.9 },
    model_load_s: 240,
    engine_restart_s: 60,
    frontend_ms: 60,
    patience_s: 30,
    deadline_s: 600,
  },
  models: [{ name: 'llama-70b', worker_share: 1 }],
  traffic: {
    rate_per_worker_s: 2.3,
    prompt: { median: 1100, sigma: 0.7 },
    output: { median: 800, sigma: 0.6 },
    shared_prefix: { share: 0.6, groups: 40, skew: 1.1, tokens: { median: 400, sigma: 0.4 } },
    tenants: [
      { name: 'assistant', share: 6 },
      { name: 'search', share: 3, output: { median: 500, sigma: 0.6 } },
      { name: 'batch-eval', share: 1 },
    ],
  },
};

const HOPPER_70B_TP8: WorldInput = {
  ...HOPPER_70B,
  name: 'h100-70b-tp8',
  description: 'Llama-3.1-70B on eight H100s a worker: large cache and batch, agents with long answers.',
  calibration: {
    ...HOPPER_70B.calibration,
    step: {
      base_ms: 11,
      prefill_ms_per_token: 0.039,
      prefill_ms_per_token_per_1k_context: 0.0007,
      decode_ms_per_request: 0.05,
      decode_ms_per_1k_context: 0.018,
      host_ms: 5,
      graph_batch: 512,
      eager_ms: 35,
    },
    // 8 × 80 GiB × 0.9 − 131 GiB − activations: about 420 GiB.
    kv: { block_size: 16, blocks: 85_000 },
    max_batch: 640,
    token_budget: 1024,
    gpu: { memory_bytes: 640 * GIB, pool_share: 0.9 },
    model_load_s: 300,
    engine_restart_s: 90,
  },
  router: { policy: 'session_affinity', spill_at: 220 },
  traffic: {
    rate_per_worker_s: 2.8,
    prompt: { median: 2000, sigma: 0.7 },
    output: { median: 1200, sigma: 0.6 },
    shared_prefix: { share: 0.8, groups: 60, skew: 1, tokens: { median: 1200, sigma: 0.4 } },
    tenants: [
      { name: 'agents', share: 4 },
      {
        name: 'assistant',
        share: 4,
        prompt: { median: 1200, sigma: 0.7 },
        output: { median: 800, sigma: 0.6 },
      },
      { name: 'internal', share: 1 },
    ],
  },
};

const SMALL_8B: WorldInput = {
  name: 'l40s-8b',
  description: 'Llama-3.1-8B on one L40S a worker: short chat at a high rate, two models behind one gateway.',
  sources: [
    'NVIDIA L40S data sheet',
    'vLLM docs/configuration/optimization.md',
    'Azure LLM inference trace 2023',
  ],
  calibration: {
    step: {
      base_ms: 26,
      prefill_ms_per_token: 0.089,
      prefill_ms_per_token_per_1k_context: 0.0029,
      decode_ms_per_request: 0.05,
      decode_ms_per_1k_context: 0.21,
      host_ms: 3,
      graph_batch: 256,
      eager_ms: 18,
    },
    // 48 GB × 0.9 − 16 GB of weights − activations: about 24 GiB at 128 KiB a token.
    kv: { block_size: 16, blocks: 12_300 },
    max_batch: 256,
    token_budget: 256,
    context_max: 32_768,
    gpu: { memory_bytes: 45 * GIB, pool_share: 0.9 },
    model_load_s: 75,
    engine_restart_s: 30,
    frontend_ms: 40,
    patience_s: 20,
    deadline_s: 300,
  },
  router: { policy: 'round_robin' },
  models: [
    { name: 'llama-8b', worker_share: 2 },
    { name: 'qwen-7b', worker_share: 1, step_factor: 0.95 },
  ],
  traffic: {
    rate_per_worker_s: 0.9,
    prompt: { median: 1000, sigma: 0.5 },
    output: { median: 500, sigma: 0.6 },
    shared_prefix: { share: 0.4, groups: 20, skew: 1, tokens: { median: 250, sigma: 0.3 } },
    tenants: [
      { name: 'web', share: 5 },
      { name: 'mobile', share: 4 },
      { name: 'partner-api', share: 1, prompt: { median: 1500, sigma: 0.5 } },
    ],
  },
};

const DOCUMENTS: WorldInput = {
  name: 'h100-8b-documents',
  description: 'Llama-3.1-8B on one H100 a worker: questions about long documents, asked again and again.',
  sources: ['NVIDIA H100 data sheet', 'Mooncake, FAST 2025', 'vLLM docs/configuration/optimization.md'],
  calibration: {
    step: {
      base_ms: 7,
      prefill_ms_per_token: 0.033,
      prefill_ms_per_token_per_1k_context: 0.001,
      decode_ms_per_request: 0.05,
      decode_ms_per_1k_context: 0.055,
      host_ms: 3,
      graph_batch: 512,
      eager_ms: 15,
    },
    // 80 GiB × 0.9 − 15 GiB − activations: about 54 GiB at 128 KiB a token.
    kv: { block_size: 16, blocks: 27_600 },
    max_batch: 256,
    token_budget: 1024,
    context_max: 131_072,
    gpu: { memory_bytes: 80 * GIB, pool_share: 0.9 },
    model_load_s: 90,
    engine_restart_s: 40,
    frontend_ms: 120,
    patience_s: 45,
    deadline_s: 300,
  },
  scheduler: { admission: 'chunk' },
  router: { policy: 'prefix_hash', spill_at: 60 },
  models: [{ name: 'llama-8b-docs', worker_share: 1 }],
  traffic: {
    rate_per_worker_s: 1.5,
    prompt: { median: 5000, sigma: 0.5 },
    output: { median: 500, sigma: 0.6 },
    shared_prefix: { share: 0.5, groups: 300, skew: 0.9, tokens: { median: 2500, sigma: 0.5 } },
    tenants: [
      { name: 'legal', share: 3 },
      { name: 'support', share: 2, prompt: { median: 3500, sigma: 0.5 } },
      { name: 'research', share: 1 },
    ],
  },
};

/** The world of a run that names none. */
export const DEFAULT_WORLD: World = World.parse(HOPPER_70B);

/** Every built-in world. */
export const WORLDS: readonly World[] = [HOPPER_70B, HOPPER_70B_TP8, SMALL_8B, DOCUMENTS].map((input) =>
  World.parse(input),
);

/** The built-in world of this name, or undefined. */
export function findWorld(name: string): World | undefined {
  return WORLDS.find((world) => world.name === name);
}
