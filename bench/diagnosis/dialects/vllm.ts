/**
 * vLLM's V1 engine as its API server exports it, with DCGM and kube-state-metrics beside it. Read in
 * vllm/v1/metrics/loggers.py, 0.9 to 0.29: every series has model_name and engine; the Python client adds `_total`.
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
const INTER_TOKEN = [
  0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
];
const REQUEST = [
  0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
];
const TOKENS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];

export const vllm: SnapshotDialect = {
  engine: 'vllm',
  spelling: 'python',
  pages: (snapshot, clock) => [
    ...workerPages('vllm', snapshot, clock, (page, worker) => {
      const labels = { model_name: worker.model, engine: '0' };
      const histogram = (name: string, value: WorkerSnapshot['ttft'], edges: readonly number[]) =>
        page.histogram(`vllm:${name}`, labels, value, edges);
      page.value('vllm:num_requests_running', labels, worker.running);
      page.value('vllm:num_requests_waiting', labels, worker.waiting);
      page.value('vllm:kv_cache_usage_perc', labels, kvUsed(worker));
      page.value('vllm:num_preemptions_total', labels, worker.preemptions);
      page.value('vllm:prompt_tokens_total', labels, worker.promptTokens);
      page.value('vllm:generation_tokens_total', labels, worker.generatedTokens);
      const { input, failed, left } = endingsOf(worker);
      const finished = (reason: string, count: number) =>
        page.value('vllm:request_success_total', { ...labels, finished_reason: reason }, count);
      finished('stop', worker.finishes.stop);
      finished('abort', left);
      finished('error', failed);
      histogram('time_to_first_token_seconds', worker.ttft, TTFT);
      histogram('inter_token_latency_seconds', worker.interToken, INTER_TOKEN);
      histogram('request_queue_time_seconds', worker.requestQueue, REQUEST);
      histogram('request_prompt_tokens', worker.promptLength, TOKENS);
      // prometheus-fastapi-instrumentator groups status codes; the caller's own mistakes are 4xx.
      const http = (status: string, count: number) =>
        page.value('http_requests_total', { handler: '/v1/chat/completions', method: 'POST', status }, count);
      http('2xx', worker.finishes.stop + left);
      http('4xx', input);
      http('5xx', failed);
    }),
    ...companionPages(snapshot),
  ],
};
