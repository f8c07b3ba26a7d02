/**
 * vLLM's V1 engine as its API server exports it. Read in vllm/v1/metrics/loggers.py and docs/design/metrics.md, 0.9 to
 * 0.29: every series has model_name and engine (the data-parallel rank); the Python client adds `_total` to counters.
 * The production stack's router repeats two names with a `server` label, and no model.
 */

import type { Dialect } from '../dialect.js';
import type { Exposition, HistogramSeries } from '../exposition.js';
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
import { growing, sharedPage, workerPages } from './pages.js';

// The class attributes of the loggers, seconds; 1-2-5 series for tokens.
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

export type VllmNames = {
  /** `vllm:x`, or what Ray makes of it. */
  readonly name: (own: string) => string;
  readonly labels: (worker: TruthWorker) => Record<string, string>;
};

/** The engine's own part, which Ray's metrics agent exports too, under other names. */
export function writeVllmEngine(
  page: Exposition,
  worker: TruthWorker,
  seconds: number,
  names: VllmNames,
): void {
  const { name } = names;
  const labels = names.labels(worker);
  const finished = finishedPerSecond(worker);
  const failed = Object.values(worker.errorsPerSecond).reduce((sum, rate) => sum + rate, 0);
  const count = (perSecond: number, more = {}) => growing(worker, seconds, perSecond, { ...labels, ...more });
  const observed = (edges: readonly number[], samples: Samples, perSecond = finished): HistogramSeries => ({
    labels,
    edges,
    samples,
    observed: count(perSecond).value,
  });
  page.gauge(name('num_requests_running'), { labels, value: worker.running });
  page.gauge(name('num_requests_waiting'), { labels, value: worker.waiting });
  page.gauge(
    name('num_requests_waiting_by_reason'),
    { labels: { ...labels, reason: 'capacity' }, value: worker.waiting },
    { labels: { ...labels, reason: 'deferred' }, value: 0 },
  );
  page.gauge(name('kv_cache_usage_perc'), { labels, value: 1 - worker.blocksFree / worker.blocksTotal });
  page.gauge(name('engine_sleep_state'), { labels: { ...labels, sleep_state: 'awake' }, value: 1 });
  page.gauge(name('cache_config_info'), {
    labels: { ...labels, num_gpu_blocks: String(worker.blocksTotal), block_size: String(BLOCK_SIZE) },
    value: 1,
  });
  page.counter(name('num_preemptions_total'), count(worker.preemptionsPerSecond));
  page.counter(name('prompt_tokens_total'), count(promptTokensPerSecond(worker)));
  page.counter(name('generation_tokens_total'), count(generatedTokensPerSecond(worker)));
  page.counter(name('prefix_cache_queries_total'), count(promptTokensPerSecond(worker)));
  page.counter(name('prefix_cache_hits_total'), count(promptTokensPerSecond(worker) * worker.cachedShare));
  page.counter(
    name('request_success_total'),
    count(worker.servedPerSecond * 0.8, { finished_reason: 'stop' }),
    count(worker.servedPerSecond * 0.2, { finished_reason: 'length' }),
    count(worker.abortedPerSecond, { finished_reason: 'abort' }),
    count(failed, { finished_reason: 'error' }),
  );
  page.histogram(name('time_to_first_token_seconds'), observed(TTFT, worker.ttft));
  page.histogram(
    name('inter_token_latency_seconds'),
    observed(INTER_TOKEN, worker.interToken, generatedTokensPerSecond(worker)),
  );
  page.histogram(name('e2e_request_latency_seconds'), observed(REQUEST, worker.duration));
  page.histogram(name('request_queue_time_seconds'), observed(REQUEST, worker.queueWait));
  page.histogram(name('request_prompt_tokens'), observed(TOKENS, worker.promptTokens));
  page.histogram(name('request_generation_tokens'), observed(TOKENS, worker.outputTokens));
}

export const VLLM_EDGES: Dialect['edges'] = {
  ttft: TTFT,
  tbt: INTER_TOKEN,
  duration: REQUEST,
  queueWait: REQUEST,
  promptTokens: TOKENS,
};

const ALL_FAILURES = ['oom', 'crash', 'timeout', 'overload', 'input'] as const;

const NAMES: VllmNames = {
  name: (own) => `vllm:${own}`,
  labels: () => ({ model_name: MODEL, engine: '0' }),
};

/** Its workers' pages, for a fleet of several engines. */
export function vllmPages(workers: readonly TruthWorker[]) {
  return workerPages(
    'vllm',
    'python',
    (page, worker, seconds) => {
      writeVllmEngine(page, worker, seconds, NAMES);
      // prometheus-fastapi-instrumentator: status codes are grouped.
      const http = (status: string, perSecond: number) =>
        growing(worker, seconds, perSecond, { handler: '/v1/chat/completions', method: 'POST', status });
      const { input, ...ours } = worker.errorsPerSecond;
      const failed = Object.values(ours).reduce((sum, rate) => sum + rate, 0);
      page.counter(
        'http_requests_total',
        http('2xx', worker.servedPerSecond + worker.abortedPerSecond),
        http('4xx', input),
        http('5xx', failed),
        growing(worker, seconds, 2, { handler: '/health', method: 'GET', status: '2xx' }),
      );
    },
    { workers },
  );
}

export const vllm: Dialect = {
  engine: 'vllm',
  honorLabels: false,
  pages: [
    ...vllmPages(WORKERS),
    sharedPage({ job: 'vllm-router', pod: 'router-0', instance: '10.0.0.9:8001' }, 'python', (page) => {
      const per = (read: (worker: TruthWorker) => number) =>
        WORKERS.map((worker) => ({ labels: { server: `http://${worker.name}:8000` }, value: read(worker) }));
      page.gauge('vllm:num_requests_running', ...per((worker) => worker.running));
      page.gauge('vllm:num_requests_waiting', ...per((worker) => worker.waiting));
      page.gauge('vllm:healthy_pods_total', ...per(() => 1));
    }),
  ],
  edges: VLLM_EDGES,
  // The larger of the two views: what the engine ended with an error includes what the caller did wrong.
  failures: ALL_FAILURES,
  errorTypes: { error: ALL_FAILURES },
};
