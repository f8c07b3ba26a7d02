/**
 * NVIDIA NIM for LLMs 1.x at /v1/metrics: names without a prefix, still vLLM's old ones. Read in its observability page;
 * the success and failure counters are general knowledge, not seen in a scrape.
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

const TTFT = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const TPOT = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
const E2E = [1, 2.5, 5, 10, 15, 20, 30, 40, 50, 60];
const TOKENS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];

export const nim: Dialect = {
  engine: 'nim',
  honorLabels: false,
  pages: workerPages('nim', 'python', (page, worker, seconds) => {
    const labels = { model_name: MODEL };
    const count = (perSecond: number, more = {}) =>
      growing(worker, seconds, perSecond, { ...labels, ...more });
    const failed = Object.values(worker.errorsPerSecond).reduce((sum, rate) => sum + rate, 0);
    page.gauge('num_requests_running', { labels, value: worker.running });
    page.gauge('num_requests_waiting', { labels, value: worker.waiting });
    page.gauge('num_request_max', { labels, value: worker.batchMax });
    page.gauge('gpu_cache_usage_perc', { labels, value: 1 - worker.blocksFree / worker.blocksTotal });
    page.counter('prompt_tokens_total', count(promptTokensPerSecond(worker)));
    page.counter('generation_tokens_total', count(generatedTokensPerSecond(worker)));
    page.counter('request_success_total', count(worker.servedPerSecond + worker.abortedPerSecond));
    page.counter('request_failure_total', count(failed));
    page.counter(
      'request_finish_total',
      count(worker.servedPerSecond, { finished_reason: 'stop' }),
      count(worker.abortedPerSecond, { finished_reason: 'abort' }),
      count(failed, { finished_reason: 'error' }),
    );
    const histogram = (
      name: string,
      edges: readonly number[],
      samples: Samples,
      perSecond = finishedPerSecond(worker),
    ) => page.histogram(name, { labels, edges, samples, observed: count(perSecond).value });
    histogram('time_to_first_token_seconds', TTFT, worker.ttft);
    histogram('time_per_output_token_seconds', TPOT, worker.interToken, generatedTokensPerSecond(worker));
    histogram('e2e_request_latency_seconds', E2E, worker.duration);
    histogram('request_prompt_tokens', TOKENS, worker.promptTokens);
    histogram('request_generation_tokens', TOKENS, worker.outputTokens);
  }),
  edges: { ttft: TTFT, tbt: TPOT, duration: E2E, promptTokens: TOKENS },
  failures: ['oom', 'crash', 'timeout', 'overload', 'input'],
  errorTypes: { error: ['oom', 'crash', 'timeout', 'overload', 'input'] },
};
