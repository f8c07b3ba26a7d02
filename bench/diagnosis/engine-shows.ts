/**
 * Which mechanisms an engine cannot show, from upstream's lists of names: where nothing tells a mechanism from its
 * neighbours, it is not asked of that engine.
 */

import type { EngineName } from './dialects/snapshot-dialect.js';

export type EngineChoice = EngineName | 'mixed';

/** Of callers and their tenants, and of deadlines that a gateway sets, engines know nothing; what callers do wrong is a 4xx, no failure. */
const GATEWAYS_ONLY = ['errors_input', 'errors_timeout', 'noisy_tenant'] as const;

const CANNOT_SHOW: Readonly<Record<EngineName, readonly string[]>> = {
  llm: [],
  vllm: GATEWAYS_ONLY,
  sglang: GATEWAYS_ONLY,
  // Its frontend is the gateway. Running and waiting are one figure of a worker, and tokens are counted for the fleet.
  dynamo: ['errors_input', 'noisy_tenant', 'hot_worker', 'decode_batch', 'gpu_starved', 'wedged'],
  // No prompt lengths, no preemptions.
  trtllm: [...GATEWAYS_ONLY, 'long_prefill', 'kv_long_prompts'],
  // No TTFT, no KV cache, no preemptions.
  tgi: [
    ...GATEWAYS_ONLY,
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
