/**
 * SGLang with --enable-metrics, --enable-metrics-for-all-schedulers (each tensor-parallel rank repeats the scheduler's
 * gauges) and priority scheduling (`priority=""` is the total, whole numbers are a breakdown of it). Read in
 * python/sglang/srt/observability/metrics_collector.py and scheduler_metrics_mixin.py of early 2026.
 */

import type { Dialect } from '../dialect.js';
import { eachWorker, exactly } from '../expectations.js';
import {
  BLOCK_SIZE,
  finishedPerSecond,
  generatedTokensPerSecond,
  MODEL,
  promptTokensPerSecond,
  type Samples,
  type TruthWorker,
  WORKERS,
} from '../truth.js';
import { growing, workerPages } from './pages.js';

const TTFT = [0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400];
const INTER_TOKEN = [
  0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.06, 0.08, 0.1, 0.2, 0.4, 0.6,
  0.8, 1, 2, 4, 6, 8,
];
const E2E = [
  0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400, 600, 1200, 1800, 2400,
];
const QUEUE = [
  0, 0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100, 200, 500, 1000, 3000,
];
// With --collect-tokens-histogram.
const PROMPT_TOKENS = [
  100, 300, 500, 700, 1000, 1500, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000, 12_000, 15_000,
  20_000, 22_000, 25_000, 30_000, 35_000, 40_000, 66_000, 99_000, 132_000, 300_000, 600_000, 900_000,
  1_100_000,
];

export function sglangPages(workers: readonly TruthWorker[]) {
  return workerPages(
    'sglang',
    'python',
    (page, worker, seconds) => {
      const model = { model_name: MODEL };
      const rank = (tpRank: string) => ({
        ...model,
        engine_type: 'unified',
        tp_rank: tpRank,
        pp_rank: '0',
        moe_ep_rank: '0',
      });
      const onEachRank = (value: number) => ['0', '1'].map((one) => ({ labels: rank(one), value }));
      const byPriority = (value: number) =>
        ['0', '1'].flatMap((one) => [
          { labels: { ...rank(one), priority: '' }, value },
          { labels: { ...rank(one), priority: '0' }, value: Math.floor(value / 2) },
          { labels: { ...rank(one), priority: '10' }, value: value - Math.floor(value / 2) },
        ]);
      const count = (perSecond: number, labels: Record<string, string>) =>
        growing(worker, seconds, perSecond, labels);
      const tokens = worker.blocksTotal * BLOCK_SIZE;
      const used = (worker.blocksTotal - worker.blocksFree) * BLOCK_SIZE;
      page.gauge('sglang:num_running_reqs', ...byPriority(worker.running));
      page.gauge('sglang:num_queue_reqs', ...byPriority(worker.waiting));
      page.gauge('sglang:num_grammar_queue_reqs', ...onEachRank(0));
      page.gauge('sglang:token_usage', ...onEachRank(used / tokens));
      page.gauge('sglang:num_used_tokens', ...onEachRank(used));
      page.gauge('sglang:max_total_num_tokens', ...onEachRank(tokens));
      page.gauge('sglang:gen_throughput', ...onEachRank(generatedTokensPerSecond(worker)));
      // The last prefill batch's, and 0 after each decode batch: no rate to trust.
      page.gauge('sglang:cache_hit_rate', ...onEachRank(0));
      page.counter(
        'sglang:num_retracted_requests_total',
        count(worker.preemptionsPerSecond, { ...rank('0'), priority: '' }),
      );
      page.counter(
        'sglang:realtime_tokens_total',
        count(generatedTokensPerSecond(worker), { ...rank('0'), mode: 'decode' }),
        count(promptTokensPerSecond(worker) * (1 - worker.cachedShare), {
          ...rank('0'),
          mode: 'prefill_compute',
        }),
        count(promptTokensPerSecond(worker) * worker.cachedShare, { ...rank('0'), mode: 'prefill_cache' }),
      );
      page.counter('sglang:prompt_tokens_total', count(promptTokensPerSecond(worker), model));
      page.counter('sglang:generation_tokens_total', count(generatedTokensPerSecond(worker), model));
      page.counter(
        'sglang:cached_tokens_total',
        count(promptTokensPerSecond(worker) * worker.cachedShare, { ...model, cache_source: 'device' }),
      );
      page.counter('sglang:num_requests_total', count(finishedPerSecond(worker), model));
      page.counter('sglang:num_aborted_requests_total', count(worker.abortedPerSecond, model));
      const answered = (statusCode: string, perSecond: number) =>
        count(perSecond, { endpoint: '/v1/chat/completions', method: 'POST', status_code: statusCode });
      const { oom, crash, timeout, overload, input } = worker.errorsPerSecond;
      page.counter(
        'sglang:http_responses_total',
        answered('200', worker.servedPerSecond + worker.abortedPerSecond),
        answered('400', input),
        answered('500', oom + crash),
        answered('503', overload),
        answered('504', timeout),
        count(2, { endpoint: '/health', method: 'GET', status_code: '200' }),
      );
      const histogram = (
        name: string,
        edges: readonly number[],
        samples: Samples,
        perSecond = finishedPerSecond(worker),
      ) =>
        page.histogram(`sglang:${name}`, {
          labels: model,
          edges,
          samples,
          observed: count(perSecond, model).value,
        });
      histogram('time_to_first_token_seconds', TTFT, worker.ttft);
      histogram(
        'inter_token_latency_seconds',
        INTER_TOKEN,
        worker.interToken,
        generatedTokensPerSecond(worker),
      );
      histogram('e2e_request_latency_seconds', E2E, worker.duration);
      histogram('queue_time_seconds', QUEUE, worker.queueWait);
      histogram('prompt_tokens_histogram', PROMPT_TOKENS, worker.promptTokens);
    },
    { workers },
  );
}

export const sglang: Dialect = {
  engine: 'sglang',
  honorLabels: false,
  pages: sglangPages(WORKERS),
  edges: { ttft: TTFT, tbt: INTER_TOKEN, duration: E2E, queueWait: QUEUE, promptTokens: PROMPT_TOKENS },
  failures: ['oom', 'crash', 'timeout', 'overload'],
  // Its page is one token by default, and memory is counted in pages.
  proxies: {
    kv_blocks_free: eachWorker((worker) => exactly(worker.blocksFree * BLOCK_SIZE)),
    kv_blocks_total: eachWorker((worker) => exactly(worker.blocksTotal * BLOCK_SIZE)),
  },
  errorTypes: { '400': ['input'], '500': ['oom', 'crash'], '503': ['overload'], '504': ['timeout'] },
};
