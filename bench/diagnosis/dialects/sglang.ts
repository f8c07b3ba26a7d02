/**
 * SGLang with --enable-metrics and the token histogram, DCGM and kube-state-metrics beside it. Read in
 * python/sglang/srt/observability/metrics_collector.py of early 2026: scheduler gauges carry the ranks, one page of KV
 * memory is one token by default, and status codes stand on http_responses_total.
 */

import type { WorkerSnapshot } from '../../../src/simulator/snapshot.js';
import { companionPages } from './companions.js';
import { endingsOf } from './endings-of.js';
import type { SnapshotDialect } from './snapshot-dialect.js';
import { kvUsed, workerPages } from './worker-pages.js';

const TTFT = [0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400];
const INTER_TOKEN = [
  0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.06, 0.08, 0.1, 0.2, 0.4, 0.6,
  0.8, 1, 2, 4, 6, 8,
];
const QUEUE = [
  0, 0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100, 200, 500, 1000, 3000,
];
const PROMPT_TOKENS = [
  100, 300, 500, 700, 1000, 1500, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000, 12_000, 15_000,
  20_000, 22_000, 25_000, 30_000, 35_000, 40_000, 66_000, 99_000, 132_000, 300_000, 600_000, 900_000,
  1_100_000,
];

export const sglang: SnapshotDialect = {
  engine: 'sglang',
  spelling: 'python',
  pages: (snapshot, clock) => [
    ...workerPages('sglang', snapshot, clock, (page, worker) => {
      const model = { model_name: worker.model };
      const rank = { ...model, engine_type: 'unified', tp_rank: '0', pp_rank: '0', moe_ep_rank: '0' };
      const scheduler = { ...rank, priority: '' };
      const tokens = worker.blocksTotal * worker.blockSize;
      page.value('sglang:num_running_reqs', scheduler, worker.running);
      page.value('sglang:num_queue_reqs', scheduler, worker.waiting);
      page.value('sglang:token_usage', rank, kvUsed(worker));
      page.value('sglang:num_used_tokens', rank, tokens - worker.blocksFree * worker.blockSize);
      page.value('sglang:max_total_num_tokens', rank, tokens);
      page.value('sglang:num_retracted_requests_total', scheduler, worker.preemptions);
      page.value('sglang:realtime_tokens_total', { ...rank, mode: 'decode' }, worker.generatedTokens);
      page.value('sglang:realtime_tokens_total', { ...rank, mode: 'prefill_compute' }, worker.promptTokens);
      page.value('sglang:prompt_tokens_total', model, worker.promptTokens);
      page.value('sglang:generation_tokens_total', model, worker.generatedTokens);
      const { stop, abort, error } = worker.finishes;
      const { input, failed, left } = endingsOf(worker);
      page.value('sglang:num_requests_total', model, stop + abort + error);
      page.value('sglang:num_aborted_requests_total', model, left);
      const answered = (statusCode: string, count: number) =>
        page.value(
          'sglang:http_responses_total',
          { endpoint: '/v1/chat/completions', method: 'POST', status_code: statusCode },
          count,
        );
      answered('200', stop + left);
      answered('400', input);
      answered('500', failed);
      const histogram = (name: string, value: WorkerSnapshot['ttft'], edges: readonly number[]) =>
        page.histogram(`sglang:${name}`, model, value, edges);
      histogram('time_to_first_token_seconds', worker.ttft, TTFT);
      histogram('inter_token_latency_seconds', worker.interToken, INTER_TOKEN);
      histogram('queue_time_seconds', worker.requestQueue, QUEUE);
      histogram('prompt_tokens_histogram', worker.promptLength, PROMPT_TOKENS);
    }),
    ...companionPages(snapshot),
  ],
};
