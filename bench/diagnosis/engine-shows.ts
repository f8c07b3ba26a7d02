/**
 * Which mechanisms an engine cannot show, from upstream's lists of names: where nothing tells a mechanism from its
 * neighbours, it is not asked of that engine.
 */

import type { EngineName } from './dialects/snapshot-dialect.js';

export type EngineChoice = EngineName | 'mixed';

const CANNOT_SHOW: Readonly<Record<EngineName, readonly string[]>> = {
  llm: [],
  // One finished_reason for every failure, and what the caller did wrong is a 4xx, which is no error rate of ours.
  vllm: ['gpu_oom', 'errors_input', 'errors_timeout', 'noisy_tenant'],
  // Status codes tell timeouts from the rest, and OOM and crash are both 500.
  sglang: ['gpu_oom', 'errors_input', 'noisy_tenant'],
  // Running and waiting are one figure of the worker, and there is no batch.
  dynamo: ['gpu_oom', 'errors_input', 'noisy_tenant', 'hot_worker', 'decode_batch', 'gpu_starved', 'wedged'],
  // No prompt lengths.
  trtllm: ['gpu_oom', 'errors_input', 'noisy_tenant', 'long_prefill', 'kv_long_prompts'],
  // No TTFT, no KV cache, no preemptions.
  tgi: [
    'gpu_oom',
    'errors_input',
    'noisy_tenant',
    'kv_load',
    'kv_long_prompts',
    'kv_leak',
    'long_prefill',
    'hot_worker',
    'decode_batch',
  ],
};

export function shows(engine: EngineName, mechanism: string): boolean {
  return !CANNOT_SHOW[engine].includes(mechanism);
}
