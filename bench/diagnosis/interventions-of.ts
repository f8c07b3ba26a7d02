/** What turning a lever means in the simulator, at the strength that a playbook's texts ask for. */

import type { Intervention } from '../../src/simulator/interventions.js';

/** Tokens above which texts call a prompt long. */
const LONG_TOKENS = 32_768;
/** Causes whose advice is to turn long requests away first. */
const LONG_FIRST: readonly string[] = ['kv_cache_exhausted', 'long_context_kv', 'long_context', 'gpu_oom'];

/** A fix as it was advised: by whom it was advised says how it is meant. */
export type AdvisedFix = {
  readonly lever: string;
  readonly text: string;
  readonly cause: string | null;
  readonly workers: number;
};

/** Null where the lever does nothing by itself (looking into a log), or where the simulator has no such thing. */
export function interventionOf({ lever, text, cause, workers }: AdvisedFix): Intervention | null {
  const worker = workerIn(text);
  switch (lever) {
    case 'shed':
      if (cause === 'noisy_tenant') return { kind: 'block_tenant', tenant: null };
      return {
        kind: 'shed',
        share: 0.45,
        which: cause !== null && LONG_FIRST.includes(cause) ? 'long_first' : 'any',
      };
    case 'context_cap':
    case 'long_pool':
      return { kind: 'cap_context', tokens: LONG_TOKENS };
    case 'reroute':
      return cause === 'long_context'
        ? { kind: 'cap_context', tokens: LONG_TOKENS }
        : { kind: 'reroute', drain: worker };
    case 'routing_policy':
      return { kind: 'reroute', drain: null };
    case 'replicas':
      return { kind: 'add_workers', count: Math.max(1, Math.ceil(workers / 2)) };
    case 'restart_worker':
      return { kind: 'restart_worker', worker };
    case 'replace_worker':
      return { kind: 'replace_worker', worker };
    case 'restart_in_turn':
    case 'restart_fleet':
      return { kind: 'restart_all' };
    case 'batch_size':
      return { kind: 'halve_batch', restart: true };
    case 'batch_floor':
      return { kind: 'set_batch', maxBatch: 1, restart: true };
    case 'queue_limit':
      return { kind: 'limit_admission', maxQueuedPerWorker: 64 };
    case 'deadline':
      return { kind: 'raise_timeout', factor: 4 };
    case 'validate':
      return { kind: 'validate_input' };
    default:
      return null;
  }
}

/** The worker that a text names, as `worker-3`. */
function workerIn(text: string): number | null {
  const [, index] = /\bworker-(\d+)\b/.exec(text) ?? [];
  return index === undefined ? null : Number(index);
}
