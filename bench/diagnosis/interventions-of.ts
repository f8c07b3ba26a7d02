/** What turning a lever means in the simulator, at the strength that a playbook's texts ask for. */

import type { Intervention } from '../../src/simulator/interventions.js';
import type { RunPlan } from './run-plan.js';

/** Tokens above which texts call a prompt long. */
const LONG_TOKENS = 32_768;
/** Mechanisms whose long requests are to go first. */
const LONG_FIRST: readonly string[] = ['kv_load', 'kv_long_prompts', 'long_prefill', 'gpu_oom'];

/** Null where the lever does nothing by itself (looking into a log), or where the simulator has no such thing. */
export function interventionOf(lever: string, plan: RunPlan, text: string): Intervention | null {
  const worker = workerIn(text);
  switch (lever) {
    case 'shed':
    case 'rate_limit':
      return { kind: 'shed', share: 0.45, which: isLongFirst(plan) ? 'long_first' : 'any' };
    case 'tenant_limit':
      return { kind: 'block_tenant', tenant: null };
    case 'context_cap':
      return { kind: 'cap_context', tokens: LONG_TOKENS };
    case 'reroute':
      return plan.mechanisms[0] === 'long_prefill'
        ? { kind: 'cap_context', tokens: LONG_TOKENS }
        : { kind: 'reroute', drain: worker };
    case 'routing_policy':
      return { kind: 'reroute', drain: null };
    case 'replicas':
      return { kind: 'add_workers', count: Math.max(1, Math.ceil(plan.workers / 2)) };
    case 'restart_worker':
      return { kind: 'restart_worker', worker };
    case 'replace_worker':
      return { kind: 'replace_worker', worker };
    case 'restart_all':
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
    case 'rollback':
      return { kind: 'rollback', restart: true };
    default:
      return null;
  }
}

function isLongFirst({ mechanisms }: RunPlan): boolean {
  return mechanisms.some((mechanism) => LONG_FIRST.includes(mechanism));
}

/** The worker that a text names, as `worker-3`. */
function workerIn(text: string): number | null {
  const [, index] = /\bworker-(\d+)\b/.exec(text) ?? [];
  return index === undefined ? null : Number(index);
}
