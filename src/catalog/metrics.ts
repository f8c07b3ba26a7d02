/** The canonical metrics, in the order a person should see them: what users feel, what the system shows, what explains it. */

export type MetricDefinition = {
  readonly name: string;
  readonly level: 'user' | 'system' | 'diagnostic';
  readonly type: 'histogram' | 'gauge' | 'counter';
  readonly unit: string;
  readonly labels: readonly string[];
  readonly help: string;
  /** Names of the catalog thresholds that judge it, mildest first; empty where none does. */
  readonly thresholds: readonly string[];
};

/**
 * Upper bucket edges in the metric's unit; +Inf is implied. Every alert threshold lies below the last edge and most
 * are edges themselves: a quantile is exact at an edge, a guess within a bucket, and can never exceed the last one.
 */
export const HISTOGRAM_BUCKETS = {
  ttft: [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10],
  tbt: [0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2],
  requestDuration: [0.1, 0.5, 1, 2, 5, 10, 30, 60],
  promptTokens: [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 4096, 5000, 10_000, 20_000, 32_768, 50_000, 100_000,
    131_072, 200_000,
  ],
} as const;

const JUDGED_BY: Readonly<Record<string, readonly string[]>> = {
  llm_ttft_seconds: [
    'ttft_p50_seconds.warning',
    'ttft_p99_seconds.warning',
    'ttft_p50_seconds.critical',
    'ttft_p99_seconds.critical',
  ],
  llm_tbt_seconds: [
    'tbt_p50_seconds.warning',
    'tbt_p99_seconds.warning',
    'tbt_p50_seconds.critical',
    'tbt_p99_seconds.critical',
  ],
  // The error counter is judged as a share of the requests.
  llm_error_total: ['error_ratio.warning', 'error_ratio.critical'],
  llm_gpu_utilization: [
    'gpu_utilization.low',
    'gpu_utilization.high',
    'gpu_utilization.idle',
    'gpu_utilization.saturated',
  ],
  // Bytes are judged as a share of the capacity, never against a fixed size.
  llm_gpu_memory_used_bytes: ['gpu_memory_ratio.warning', 'gpu_memory_ratio.critical'],
  llm_kv_cache_utilization: ['kv_cache_utilization.warning', 'kv_cache_utilization.critical'],
  llm_queue_depth: ['queue_depth.warning', 'queue_depth.critical'],
  llm_preemption_total: ['preemption_rate.warning', 'preemption_rate.critical'],
  llm_prompt_tokens: ['prompt_tokens.long'],
  llm_queue_wait_seconds: ['queue_wait_p99_seconds.warning'],
  llm_kv_blocks_free: ['kv_blocks_free.none'],
  llm_kv_fragmentation_ratio: ['kv_fragmentation_ratio.high'],
};

const MODEL = ['model', 'endpoint'] as const;
const WORKER = ['worker_id'] as const;
const GPU = ['gpu_id', 'worker_id', 'node'] as const;

export const METRICS: readonly MetricDefinition[] = [
  metric(
    'llm_ttft_seconds',
    'user',
    'histogram',
    's',
    [...MODEL, 'priority'],
    'Request received to first generated token',
  ),
  metric('llm_tbt_seconds', 'user', 'histogram', 's', MODEL, 'Time between tokens while generating'),
  metric('llm_request_duration_seconds', 'user', 'histogram', 's', [...MODEL, 'status'], 'Whole request'),
  metric(
    'llm_tokens_per_second',
    'user',
    'gauge',
    'tokens/s',
    ['model', 'worker_id'],
    'Generation throughput',
  ),
  metric('llm_error_total', 'user', 'counter', '1', ['model', 'error_type', 'endpoint'], 'Failed requests'),
  metric(
    'llm_requests_total',
    'user',
    'counter',
    '1',
    MODEL,
    'All requests: the denominator of the error ratio',
  ),
  metric('llm_gpu_utilization', 'system', 'gauge', 'ratio', GPU, 'SM utilization, 0 to 1'),
  metric('llm_gpu_memory_used_bytes', 'system', 'gauge', 'bytes', GPU, 'GPU memory in use'),
  metric(
    'llm_kv_cache_utilization',
    'system',
    'gauge',
    'ratio',
    ['worker_id', 'gpu_id'],
    'KV cache blocks in use, 0 to 1',
  ),
  metric('llm_queue_depth', 'system', 'gauge', 'requests', ['worker_id', 'priority'], 'Requests waiting'),
  metric('llm_batch_size', 'system', 'gauge', 'requests', WORKER, 'Requests in the running batch'),
  metric(
    'llm_preemption_total',
    'diagnostic',
    'counter',
    '1',
    ['worker_id', 'reason'],
    'Requests evicted under memory pressure',
  ),
  metric('llm_prompt_tokens', 'diagnostic', 'histogram', 'tokens', MODEL, 'Prompt length'),
  metric(
    'llm_queue_wait_seconds',
    'diagnostic',
    'histogram',
    's',
    WORKER,
    'Time from arrival to being scheduled',
  ),
  metric(
    'llm_requests_in_progress',
    'diagnostic',
    'gauge',
    'requests',
    WORKER,
    'Requests accepted and not finished',
  ),
  metric('llm_kv_blocks_free', 'diagnostic', 'gauge', 'blocks', WORKER, 'Free KV cache blocks'),
  metric('llm_kv_blocks_total', 'diagnostic', 'gauge', 'blocks', WORKER, 'KV cache blocks in all'),
  metric(
    'llm_kv_fragmentation_ratio',
    'diagnostic',
    'gauge',
    'ratio',
    WORKER,
    'Free KV memory that no request can use',
  ),
  metric('llm_batch_size_max', 'diagnostic', 'gauge', 'requests', WORKER, 'Configured maximum batch'),
  metric(
    'llm_context_length_max',
    'diagnostic',
    'gauge',
    'tokens',
    WORKER,
    'Configured maximum context length',
  ),
  metric('llm_gpu_memory_total_bytes', 'diagnostic', 'gauge', 'bytes', GPU, 'GPU memory capacity'),
  metric('llm_generated_tokens_total', 'diagnostic', 'counter', 'tokens', WORKER, 'Tokens generated'),
  metric('llm_prompt_tokens_total', 'diagnostic', 'counter', 'tokens', WORKER, 'Prompt tokens prefilled'),
  metric('llm_worker_restarts_total', 'diagnostic', 'counter', '1', WORKER, 'Restarts of a worker'),
];

function metric(
  name: string,
  level: MetricDefinition['level'],
  type: MetricDefinition['type'],
  unit: string,
  labels: readonly string[],
  help: string,
): MetricDefinition {
  return { name, level, type, unit, labels, help, thresholds: JUDGED_BY[name] ?? [] };
}
