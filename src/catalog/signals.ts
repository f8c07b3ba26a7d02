/** The named quantities that diagnosis reasons about. Engine files say how each is asked for. */

import { MINUTE } from '../domain/clock.js';

export type Unit =
  | 'ratio'
  | 'seconds'
  | 'requests'
  | 'tokens'
  | 'tokens_per_second'
  | 'per_second'
  | 'bytes'
  | 'count'
  | 'blocks'
  | 'celsius'
  | 'bool';

export type SignalDefinition = {
  readonly name: string;
  readonly unit: Unit;
  /** `worker`: one value a worker. `scope`: one for the whole scope. */
  readonly level: 'worker' | 'scope';
  /** Label that splits a scope signal into several values, such as an error's type. */
  readonly splitBy?: string;
  readonly description: string;
  /** Lowest and highest value seen on a healthy fleet (70B on 8 × H100), for "is this normal?". */
  readonly healthy?: readonly [number, number];
  /** Window of its rates where the usual five minutes would hide what it is for, ms at time scale 1. */
  readonly windowMs?: number;
  /** Known of a worker that no longer answers: everything else of it is the past then. */
  readonly outlivesWorker?: true;
};

type Extra = Pick<SignalDefinition, 'splitBy' | 'healthy' | 'windowMs' | 'outlivesWorker'>;

export const SIGNALS: readonly SignalDefinition[] = [
  worker('kv_cache_utilization', 'ratio', 'KV cache blocks in use', { healthy: [0.5, 0.85] }),
  worker('queue_depth', 'requests', 'requests waiting to be scheduled', { healthy: [0, 20] }),
  worker('requests_running', 'requests', 'requests in the running batch'),
  worker('batch_size_max', 'requests', 'configured maximum of the running batch'),
  worker('kv_blocks_free', 'blocks', 'free KV cache blocks'),
  worker('kv_blocks_total', 'blocks', 'KV cache blocks in all'),
  worker('kv_fragmentation_ratio', 'ratio', 'free KV memory that no request can use'),
  worker('preemption_rate', 'per_second', 'requests evicted from the batch', { healthy: [0, 0.01] }),
  scope('preemption_rate_by_reason', 'per_second', 'requests evicted from the batch, by reason', {
    splitBy: 'reason',
  }),
  worker('gpu_utilization', 'ratio', 'share of time any kernel ran', { healthy: [0.6, 0.9] }),
  worker('gpu_memory_ratio', 'ratio', 'GPU memory used of its capacity'),
  worker('gpu_memory_used_bytes', 'bytes', 'GPU memory used'),
  worker('gpu_memory_total_bytes', 'bytes', 'GPU memory capacity'),
  worker('gpu_temperature_celsius', 'celsius', 'hottest GPU of the worker'),
  worker('gpu_xid_code', 'count', 'newest Xid error of the last hour, 0 where there is none'),
  worker('gpu_tensor_active_ratio', 'ratio', 'share of time the tensor cores worked'),
  worker('generation_tokens_rate', 'tokens_per_second', 'tokens generated'),
  worker('prompt_tokens_rate', 'tokens_per_second', 'prompt tokens prefilled'),
  worker('worker_restarts', 'count', 'restarts in the last hour'),
  worker('worker_up', 'bool', 'the worker answers scrapes', { outlivesWorker: true }),
  worker('context_length_max', 'tokens', 'configured maximum context length'),
  scope('ttft_p50_seconds', 'seconds', 'time to first token, median', { healthy: [0.1, 0.3] }),
  scope('ttft_p95_seconds', 'seconds', 'time to first token, 95th percentile'),
  scope('ttft_p99_seconds', 'seconds', 'time to first token, 99th percentile', { healthy: [0.5, 1.5] }),
  scope('tbt_p50_seconds', 'seconds', 'time between tokens, median', { healthy: [0.015, 0.025] }),
  scope('tbt_p99_seconds', 'seconds', 'time between tokens, 99th percentile'),
  scope('request_duration_p99_seconds', 'seconds', 'whole request, 99th percentile'),
  scope('queue_wait_p99_seconds', 'seconds', 'time in the queue, 99th percentile'),
  scope('prompt_tokens_p50', 'tokens', 'prompt length, median'),
  scope('prompt_tokens_p99', 'tokens', 'prompt length, 99th percentile'),
  scope('long_prompt_share', 'ratio', 'share of prompts above 32,768 tokens'),
  scope('prefix_cache_hit_ratio', 'ratio', 'share of prompt tokens that the prefix cache had'),
  scope('request_rate', 'per_second', 'requests'),
  scope('error_ratio', 'ratio', 'failed share of requests', { healthy: [0, 0.001], windowMs: MINUTE }),
  scope('error_rate_by_type', 'per_second', 'failed requests, by type', { splitBy: 'error_type' }),
  scope('request_rate_by_tenant', 'per_second', 'requests, by tenant', { splitBy: 'tenant' }),
  scope('prompt_tokens_rate_by_tenant', 'tokens_per_second', 'prompt tokens, by tenant', {
    splitBy: 'tenant',
  }),
  scope('error_rate_by_tenant', 'per_second', 'failed requests, by tenant', { splitBy: 'tenant' }),
  scope('requests_in_progress', 'requests', 'requests accepted and not finished'),
  scope('replicas_available', 'count', 'workers that answer scrapes'),
  scope('replicas_wanted', 'count', 'workers that Kubernetes is told to run'),
  scope('pods_not_ready', 'count', 'pods of the deployment that are not ready'),
  scope('pods_pending', 'count', 'pods of the deployment that wait for a node'),
  scope('oom_kills', 'count', 'containers killed for want of host memory in the last hour'),
  scope('crash_loops', 'count', 'containers that Kubernetes waits to start again after crashes'),
  scope('autoscaler_at_max', 'bool', 'the autoscaler wants no fewer workers than it may have'),
  scope('quota_used_ratio', 'ratio', 'namespace quota used, by resource', { splitBy: 'resource' }),
];

const BY_NAME = new Map(SIGNALS.map((signal) => [signal.name, signal]));

/** The definition of a signal, or undefined for an unknown name. */
export function findSignal(name: string): SignalDefinition | undefined {
  return BY_NAME.get(name);
}

function worker(name: string, unit: Unit, description: string, extra: Extra = {}): SignalDefinition {
  return { name, unit, level: 'worker', description, ...extra };
}

function scope(name: string, unit: Unit, description: string, extra: Extra = {}): SignalDefinition {
  return { name, unit, level: 'scope', description, ...extra };
}
