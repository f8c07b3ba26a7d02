/**
 * TensorRT-LLM's trtllm-serve at /prometheus/metrics with `return_perf_metrics: true` and iteration statistics. Read in
 * tensorrt_llm/metrics/collector.py of 2026: vLLM-like edges; the time per output token is a mean of a request.
 */

import type { Dialect } from '../dialect.js';
import {
  finishedPerSecond,
  generatedTokensPerSecond,
  MODEL,
  promptTokensPerSecond,
  type Samples,
} from '../truth.js';
import { growing, workerPages } from './pages.js';

const TTFT = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
  2560,
];
const TPOT = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];
const REQUEST = [
  0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
];

export const trtllm: Dialect = {
  engine: 'trtllm',
  honorLabels: false,
  pages: workerPages('trtllm', 'python', (page, worker, seconds) => {
    const labels = { model_name: MODEL, engine_type: 'pytorch' };
    const count = (perSecond: number, more = {}) =>
      growing(worker, seconds, perSecond, { ...labels, ...more });
    const { oom, crash, timeout, overload, input } = worker.errorsPerSecond;
    page.counter(
      'trtllm_request_success_total',
      count(worker.servedPerSecond * 0.9, { finished_reason: 'end_id' }),
      count(worker.servedPerSecond * 0.1, { finished_reason: 'length' }),
      count(worker.abortedPerSecond, { finished_reason: 'cancelled' }),
    );
    page.counter(
      'trtllm_request_error_total',
      count(input, { http_code: '400' }),
      count(oom + crash, { http_code: '500' }),
      count(overload, { http_code: '503' }),
      count(timeout, { http_code: '504' }),
    );
    page.counter('trtllm_prompt_tokens_total', count(promptTokensPerSecond(worker)));
    page.counter(
      'trtllm_prompt_cached_tokens_total',
      count(promptTokensPerSecond(worker) * worker.cachedShare),
    );
    page.counter('trtllm_generation_tokens_total', count(generatedTokensPerSecond(worker)));
    page.gauge('trtllm_num_requests_running', { labels, value: worker.running });
    page.gauge('trtllm_num_requests_waiting', { labels, value: worker.waiting });
    page.gauge('trtllm_num_paused_requests', { labels, value: 0 });
    page.gauge('trtllm_kv_cache_utilization', { labels, value: 1 - worker.blocksFree / worker.blocksTotal });
    page.gauge('trtllm_kv_cache_max_blocks', { labels, value: worker.blocksTotal });
    page.gauge('trtllm_kv_cache_free_blocks', { labels, value: worker.blocksFree });
    page.gauge('trtllm_kv_cache_used_blocks', { labels, value: worker.blocksTotal - worker.blocksFree });
    page.gauge('trtllm_kv_cache_hit_rate', { labels, value: worker.cachedShare });
    page.gauge('trtllm_gpu_memory_usage_bytes', { labels, value: worker.gpu.usedMiB * 2 ** 20 });
    page.gauge('trtllm_max_batch_size_runtime', { labels, value: worker.batchMax });
    const histogram = (
      name: string,
      edges: readonly number[],
      samples: Samples,
      perSecond = finishedPerSecond(worker),
    ) => page.histogram(`trtllm_${name}`, { labels, edges, samples, observed: count(perSecond).value });
    histogram('time_to_first_token_seconds', TTFT, worker.ttft);
    histogram('time_per_output_token_seconds', TPOT, worker.interToken, generatedTokensPerSecond(worker));
    histogram('e2e_request_latency_seconds', REQUEST, worker.duration);
    histogram('request_queue_time_seconds', REQUEST, worker.queueWait);
  }),
  edges: { ttft: TTFT, tbt: TPOT, duration: REQUEST, queueWait: REQUEST },
  failures: ['oom', 'crash', 'timeout', 'overload'],
  errorTypes: { '400': ['input'], '500': ['oom', 'crash'], '503': ['overload'], '504': ['timeout'] },
};
