/** The canonical names of the specification: a gateway, and exporters beside its workers. Edges as the specification lists them. */

import type { SnapshotDialect } from './snapshot-dialect.js';
import { kvUsed, workerPages } from './worker-pages.js';

const TTFT = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10];
const TBT = [0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2];
const QUEUE_WAIT = [0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];
const PROMPT_TOKENS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 4096, 5000, 10_000, 20_000, 32_768, 50_000, 100_000,
  131_072, 200_000,
];

export const llm: SnapshotDialect = {
  engine: 'llm',
  spelling: 'go',
  pages: (snapshot, clock) => [
    ...workerPages('llm', snapshot, clock, (page, worker, index) => {
      const own = { worker_id: worker.name, model: worker.model };
      const gpu = { ...own, gpu_id: String(index % 8), node: `gpu-node-${Math.floor(index / 8)}` };
      page.value('llm_kv_cache_utilization', { ...own, gpu_id: String(index % 8) }, kvUsed(worker));
      page.value('llm_queue_depth', { ...own, priority: 'normal' }, worker.waiting);
      page.value('llm_batch_size', own, worker.running);
      page.value('llm_batch_size_max', own, worker.batchMax);
      page.value('llm_context_length_max', own, worker.contextMax);
      page.value('llm_requests_in_progress', own, worker.running + worker.waiting);
      page.value('llm_kv_blocks_free', own, worker.blocksFree);
      page.value('llm_kv_blocks_total', own, worker.blocksTotal);
      page.value('llm_kv_fragmentation_ratio', own, 0);
      page.value('llm_gpu_utilization', gpu, worker.gpuUtilisation);
      page.value('llm_gpu_memory_used_bytes', gpu, Math.round(worker.gpuMemoryUsed));
      page.value('llm_gpu_memory_total_bytes', gpu, worker.gpuMemoryTotal);
      page.value('llm_preemption_total', { ...own, reason: 'memory' }, worker.preemptions);
      page.value('llm_generated_tokens_total', own, worker.generatedTokens);
      page.value('llm_prompt_tokens_total', own, worker.promptTokens);
      page.value('llm_worker_restarts_total', own, worker.restarts);
      page.histogram('llm_queue_wait_seconds', own, worker.queueWait, QUEUE_WAIT);
    }),
    {
      target: { job: 'llm', pod: 'gateway-0', instance: '10.0.0.99:9000' },
      write(page) {
        const { gateway } = snapshot;
        for (const { labels, value } of gateway.ttft) page.histogram('llm_ttft_seconds', labels, value, TTFT);
        for (const { labels, value } of gateway.tbt) page.histogram('llm_tbt_seconds', labels, value, TBT);
        for (const { labels, value } of gateway.promptTokens)
          page.histogram('llm_prompt_tokens', labels, value, PROMPT_TOKENS);
        for (const { labels, value } of gateway.requests) page.value('llm_requests_total', labels, value);
        for (const { labels, value } of gateway.errors) page.value('llm_error_total', labels, value);
      },
    },
  ],
};
