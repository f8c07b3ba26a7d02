/**
 * Triton with the TensorRT-LLM backend on :8002. Read in triton_backend's custom_metrics_reporter.cc of 2026 and Triton's
 * docs/user_guide/metrics.md: one gauge family keyed by one label each; microseconds; counters without `_total`;
 * `nv_inference_request_success` does not count failures; token lengths end at 1000. Histogram and summary latencies
 * are switched on by --metrics-config, as the map's opt-in rows need them; they are in milliseconds and microseconds.
 */

import type { Dialect } from '../dialect.js';
import { about, exactly, sumOf } from '../expectations.js';
import { finishedPerSecond, MODEL, mean, type Samples, type TruthWorker, WORKERS } from '../truth.js';
import { growing, workerPages } from './pages.js';

const TOKENS = [10, 50, 100, 500, 1000];
const FIRST_RESPONSE_MS = [100, 500, 2000, 5000];

export const triton: Dialect = {
  engine: 'triton',
  honorLabels: false,
  pages: workerPages(
    'triton',
    'go',
    (page, worker, seconds) => {
      const labels = { model: MODEL, version: '1' };
      const count = (perSecond: number, more = {}) =>
        growing(worker, seconds, perSecond, { ...labels, ...more });
      const gpu = { gpu_uuid: worker.gpu.uuid };
      const used = worker.blocksTotal - worker.blocksFree;
      const keyed = (name: string, key: string, values: Record<string, number>) =>
        page.gauge(
          name,
          ...Object.entries(values).map(([kind, value]) => ({ labels: { ...labels, [key]: kind }, value })),
        );
      keyed('nv_trt_llm_request_metrics', 'request_type', {
        active: worker.running + worker.waiting,
        max: worker.batchMax,
        scheduled: worker.running,
        context: 1,
        waiting: worker.waiting,
      });
      keyed('nv_trt_llm_kv_cache_block_metrics', 'kv_cache_block_type', {
        max: worker.blocksTotal,
        free: worker.blocksFree,
        used,
        tokens_per: 16,
        reused: Math.round(used * worker.cachedShare),
        fraction: used / worker.blocksTotal,
      });
      keyed('nv_trt_llm_inflight_batcher_metrics', 'inflight_batcher_specific_metric', {
        total_context_tokens: 900,
        generation_requests: worker.running - 1,
        micro_batch_id: 0,
        paused_requests: 0,
      });
      keyed('nv_trt_llm_runtime_memory_metrics', 'memory_type', {
        cpu: 0,
        gpu: worker.gpu.usedMiB * 2 ** 20,
        pinned: 0,
      });
      keyed('nv_trt_llm_general_metrics', 'general_type', { iteration_counter: count(40).value });
      const length = (name: string, samples: Samples) =>
        page.histogram(name, {
          labels,
          edges: TOKENS,
          samples,
          observed: count(finishedPerSecond(worker)).value,
        });
      length('nv_llm_input_token_len', worker.promptTokens);
      length('nv_llm_output_token_len', worker.outputTokens);
      const failed = Object.values(worker.errorsPerSecond).reduce((sum, rate) => sum + rate, 0);
      page.counter('nv_inference_request_success', count(ended(worker)));
      page.counter(
        'nv_inference_request_failure',
        count(worker.abortedPerSecond * 0, { reason: 'CANCELED' }),
        count(failed, { reason: 'BACKEND' }),
      );
      page.counter('nv_inference_queue_duration_us', count(ended(worker) * mean(worker.queueWait) * 1e6));
      page.counter('nv_inference_request_duration_us', count(ended(worker) * mean(worker.duration) * 1e6));
      page.histogram('nv_inference_first_response_histogram_ms', {
        labels,
        edges: FIRST_RESPONSE_MS,
        samples: worker.ttft,
        unit: 1000,
        observed: count(finishedPerSecond(worker)).value,
      });
      page.gauge('nv_inference_request_summary_us', {
        labels: { ...labels, quantile: '0.99' },
        value: percentile99(worker.duration) * 1e6,
      });
      page.gauge('nv_gpu_utilization', { labels: gpu, value: worker.gpu.utilization });
      const { usedMiB, freeMiB, reservedMiB } = worker.gpu;
      page.gauge('nv_gpu_memory_used_bytes', { labels: gpu, value: usedMiB * 2 ** 20 });
      page.gauge('nv_gpu_memory_total_bytes', {
        labels: gpu,
        value: (usedMiB + freeMiB + reservedMiB) * 2 ** 20,
      });
    },
    { withoutProcess: true },
  ),
  edges: { ttft: FIRST_RESPONSE_MS.map((ms) => ms / 1000), promptTokens: TOKENS },
  failures: ['oom', 'crash', 'timeout', 'overload', 'input'],
  proxies: {
    // A mean over what ended well, each worker by its traffic.
    queue_wait_p99_seconds: {
      '': about(sumOf((w) => ended(w) * mean(w.queueWait)) / sumOf(ended), 0.01),
    },
    request_duration_p99_seconds: {
      '': exactly(Math.max(...WORKERS.map(({ duration }) => percentile99(duration)))),
    },
  },
  errorTypes: { BACKEND: ['oom', 'crash', 'timeout', 'overload', 'input'], CANCELED: [] },
};

function ended(worker: TruthWorker): number {
  return worker.servedPerSecond + worker.abortedPerSecond;
}

function percentile99(samples: Samples): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.floor(0.99 * sorted.length)] ?? 0;
}
