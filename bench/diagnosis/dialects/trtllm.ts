/**
 * TensorRT-LLM's trtllm-serve with `return_perf_metrics: true` and iteration statistics, DCGM and kube-state-metrics
 * beside it. Read in tensorrt_llm/metrics/collector.py of 2026. It exports no prompt lengths and no preemptions.
 */

import type { WorkerSnapshot } from '../../../src/simulator/snapshot.js';
import { companionPages } from './companions.js';
import { endingsOf } from './endings-of.js';
import type { SnapshotDialect } from './snapshot-dialect.js';
import { kvUsed, workerPages } from './worker-pages.js';

const TTFT = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
  2560,
];
const TPOT = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];
const REQUEST = [
  0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
];

export const trtllm: SnapshotDialect = {
  engine: 'trtllm',
  spelling: 'python',
  pages: (snapshot, clock) => [
    ...workerPages('trtllm', snapshot, clock, (page, worker) => {
      const labels = { model_name: worker.model, engine_type: 'pytorch' };
      const { input, failed, left } = endingsOf(worker);
      const finished = (reason: string, count: number) =>
        page.value('trtllm_request_success_total', { ...labels, finished_reason: reason }, count);
      finished('end_id', worker.finishes.stop);
      finished('cancelled', left);
      const answered = (code: string, count: number) =>
        page.value('trtllm_request_error_total', { ...labels, http_code: code }, count);
      answered('400', input);
      answered('500', failed);
      page.value('trtllm_prompt_tokens_total', labels, worker.promptTokens);
      page.value('trtllm_generation_tokens_total', labels, worker.generatedTokens);
      page.value('trtllm_num_requests_running', labels, worker.running);
      page.value('trtllm_num_requests_waiting', labels, worker.waiting);
      page.value('trtllm_kv_cache_utilization', labels, kvUsed(worker));
      page.value('trtllm_kv_cache_max_blocks', labels, worker.blocksTotal);
      page.value('trtllm_kv_cache_free_blocks', labels, worker.blocksFree);
      page.value('trtllm_kv_cache_used_blocks', labels, worker.blocksTotal - worker.blocksFree);
      page.value('trtllm_gpu_memory_usage_bytes', labels, Math.round(worker.gpuMemoryUsed));
      page.value('trtllm_max_batch_size_runtime', labels, worker.batchMax);
      const histogram = (name: string, value: WorkerSnapshot['ttft'], edges: readonly number[]) =>
        page.histogram(`trtllm_${name}`, labels, value, edges);
      histogram('time_to_first_token_seconds', worker.ttft, TTFT);
      histogram('time_per_output_token_seconds', worker.interToken, TPOT);
      histogram('request_queue_time_seconds', worker.requestQueue, REQUEST);
    }),
    ...companionPages(snapshot),
  ],
};
