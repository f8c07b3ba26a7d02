/**
 * What is true of each mechanism: which causes name it, what a right and a harmful first fix is, which signal decides.
 * Written from the mechanisms and from reference texts on serving, never from what the playbooks happen to answer.
 * README.md argues every row.
 */

import type { SignalGroup } from './signal-groups.js';

export type Truth = {
  /** Cause ids that name the mechanism; the first is its own name, the others are argued equivalents. */
  readonly causes: readonly string[];
  /** Levers of a first fix that treats it. */
  readonly fixes: readonly string[];
  /** Levers that make it worse, or cost much and cannot help. */
  readonly harmful: readonly string[];
  /** Without any of these the mechanism cannot be told from its neighbours. */
  readonly deciding: readonly SignalGroup[];
  /** What a tired person does first, and should not; null where nothing tempts. */
  readonly tempting: string | null;
};

/** Nothing is wrong: whoever asks all the same may be told that it is over. */
const NOTHING: Truth = { causes: ['recovered'], fixes: [], harmful: [], deciding: [], tempting: null };

export const TRUTHS: Readonly<Record<string, Truth>> = {
  healthy: NOTHING,
  traffic_peak: NOTHING,
  kv_high_fine: NOTHING,
  rolling_deploy: NOTHING,
  recovered: NOTHING,
  kv_load: {
    causes: ['kv_cache_exhausted'],
    fixes: ['shed', 'replicas'],
    harmful: ['batch_size', 'restart_worker', 'admission'],
    deciding: ['kv'],
    tempting: 'batch_size',
  },
  kv_long_prompts: {
    causes: ['long_context_kv', 'kv_long_prompts'],
    fixes: ['shed', 'context_cap', 'long_pool', 'reroute'],
    harmful: ['batch_size', 'restart_worker', 'admission'],
    deciding: ['kv', 'prompt_length'],
    tempting: 'batch_size',
  },
  kv_leak: {
    causes: ['kv_leak'],
    fixes: ['restart_worker', 'restart_in_turn', 'reroute'],
    harmful: ['replicas', 'batch_size', 'admission'],
    deciding: ['kv'],
    tempting: 'replicas',
  },
  long_prefill: {
    causes: ['long_context'],
    fixes: ['reroute', 'context_cap', 'long_pool', 'shed'],
    harmful: ['batch_size', 'restart_worker', 'partial_prefills'],
    deciding: ['prompt_length'],
    tempting: 'batch_size',
  },
  hot_worker: {
    causes: ['hot_worker'],
    fixes: ['reroute', 'routing_policy'],
    harmful: ['replicas', 'batch_size'],
    deciding: ['queue'],
    tempting: 'replicas',
  },
  decode_batch: {
    causes: ['decode_batch_large'],
    fixes: ['shed', 'batch_size', 'replicas'],
    harmful: ['admission', 'restart_worker'],
    deciding: ['batch'],
    tempting: 'restart_worker',
  },
  gpu_starved: {
    causes: ['gpu_starved'],
    fixes: ['inspect', 'restart_worker', 'admission'],
    harmful: ['batch_size', 'replicas'],
    deciding: ['gpu'],
    tempting: 'batch_size',
  },
  wedged: {
    causes: ['engine_stalled'],
    fixes: ['reroute', 'restart_worker'],
    harmful: ['batch_size', 'replicas', 'admission'],
    deciding: ['progress'],
    tempting: 'replicas',
  },
  worker_lost: {
    causes: ['worker_lost', 'worker_crash'],
    fixes: ['replace_worker', 'restart_worker', 'replicas', 'reroute', 'shed'],
    harmful: ['batch_size', 'context_cap', 'admission', 'restart_fleet'],
    deciding: ['restarts'],
    tempting: 'batch_size',
  },
  worker_restarting: {
    causes: ['worker_crash', 'worker_lost'],
    fixes: ['restart_worker', 'reroute', 'replicas', 'inspect'],
    harmful: ['batch_size', 'context_cap', 'admission'],
    deciding: ['restarts'],
    tempting: 'batch_size',
  },
  gpu_oom: {
    causes: ['gpu_oom'],
    fixes: ['shed', 'memory_headroom', 'context_cap', 'batch_size'],
    harmful: ['admission', 'kv_capacity'],
    deciding: ['gpu_memory', 'error_types'],
    tempting: 'restart_worker',
  },
  errors_input: {
    causes: ['bad_input'],
    fixes: ['validate', 'inspect'],
    harmful: ['restart_worker', 'batch_size', 'replicas'],
    deciding: ['error_types'],
    tempting: 'restart_worker',
  },
  errors_timeout: {
    causes: ['deadline_timeout'],
    fixes: ['deadline', 'shed', 'replicas', 'batch_size'],
    harmful: ['restart_worker', 'admission'],
    deciding: ['error_types'],
    tempting: 'restart_worker',
  },
  errors_crash: {
    causes: ['worker_crash'],
    fixes: ['restart_worker', 'reroute', 'inspect'],
    harmful: ['batch_size', 'context_cap', 'admission'],
    deciding: ['restarts'],
    tempting: 'batch_size',
  },
  over_capacity: {
    causes: ['capacity_short'],
    fixes: ['shed', 'replicas', 'queue_limit'],
    harmful: ['batch_size', 'restart_worker', 'context_cap'],
    deciding: ['gpu'],
    tempting: 'batch_size',
  },
  noisy_tenant: {
    causes: ['noisy_tenant'],
    fixes: ['shed', 'priority'],
    harmful: ['batch_size', 'restart_worker'],
    deciding: ['tenant'],
    tempting: 'batch_size',
  },
};

export function truthOf(mechanism: string): Truth {
  const truth = TRUTHS[mechanism];
  if (truth === undefined) throw new Error(`nothing is written down about the mechanism "${mechanism}"`);
  return truth;
}

/** Whether a fault is there to be named at all: one that can be treated. */
export function isFault(mechanism: string): boolean {
  return truthOf(mechanism).fixes.length > 0;
}
