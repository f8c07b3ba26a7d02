/**
 * NVIDIA Dynamo: the frontend on its HTTP port, workers on DYN_SYSTEM_PORT. Read in lib/llm/src/http/service/metrics.rs,
 * lib/runtime/src/metrics/prometheus_names.rs and docs/observability of 2026: KV gauges carry model and dp_rank, the
 * work handler's series only the component's names; `_percent` is 0 to 1; the error type of a success is empty.
 */

import type { Dialect } from '../dialect.js';
import { about, eachWorker, exactly, sumOf } from '../expectations.js';
import {
  finishedPerSecond,
  generatedTokensPerSecond,
  MODEL,
  promptTokensPerSecond,
  type Samples,
  type TruthWorker,
  WORKERS,
} from '../truth.js';
import { growing, growingAll, sharedPage, workerPages } from './pages.js';

// generate_log_buckets, two significant digits, zero first.
const TTFT = [0, 0.0022, 0.0047, 0.01, 0.022, 0.047, 0.1, 0.22, 0.47, 1, 2.2, 4.7, 10, 22, 48, 100, 220, 480];
const ITL = [0, 0.0019, 0.0035, 0.0067, 0.013, 0.024, 0.045, 0.084, 0.16, 0.3, 0.56, 1.1, 2];
const DURATION = [0, 2, 4, 8, 16, 32, 64, 130, 260, 510];
const INPUT = [0, 100, 210, 430, 870, 1800, 3600, 7400, 15_000, 31_000, 63_000, 130_000];
const CACHED = INPUT;

const FRONTEND = { model: MODEL };
const REQUEST = { ...FRONTEND, endpoint: 'chat_completions', request_type: 'stream' };

export const dynamo: Dialect = {
  engine: 'dynamo',
  honorLabels: false,
  pages: [
    ...workerPages(
      'dynamo-worker',
      'go',
      (page, worker, seconds) => {
        const component = {
          dynamo_namespace: 'dynamo',
          dynamo_component: 'backend',
          dynamo_endpoint: 'generate',
        };
        const kv = { model: MODEL, dynamo_component: 'backend', dp_rank: '0' };
        page.gauge('dynamo_component_total_blocks', { labels: kv, value: worker.blocksTotal });
        page.gauge('dynamo_component_gpu_cache_usage_percent', {
          labels: kv,
          value: 1 - worker.blocksFree / worker.blocksTotal,
        });
        page.gauge('dynamo_component_inflight_requests', {
          labels: component,
          value: worker.running + worker.waiting,
        });
        page.counter(
          'dynamo_component_requests_total',
          growing(worker, seconds, finishedPerSecond(worker), component),
        );
        const since =
          worker.restartedAt !== null && seconds >= worker.restartedAt
            ? seconds - worker.restartedAt
            : seconds;
        page.gauge('dynamo_component_uptime_seconds', { labels: component, value: since + 1 });
      },
      { withoutProcess: true },
    ),
    sharedPage(
      { job: 'dynamo-frontend', pod: 'frontend-0', instance: '10.0.0.9:8000' },
      'go',
      (page, seconds) => {
        const ended = (status: string, errorType: string, perSecond: (worker: TruthWorker) => number) =>
          growingAll(seconds, perSecond, { ...REQUEST, status, error_type: errorType });
        page.counter(
          'dynamo_frontend_requests_total',
          ended('success', '', (w) => w.servedPerSecond),
          ended('error', 'cancelled', (w) => w.abortedPerSecond),
          ended('error', 'validation', (w) => w.errorsPerSecond.input),
          ended('error', 'overload', (w) => w.errorsPerSecond.overload),
          ended('error', 'response_timeout', (w) => w.errorsPerSecond.timeout),
          ended('error', 'internal', (w) => w.errorsPerSecond.oom + w.errorsPerSecond.crash),
        );
        page.counter(
          'dynamo_frontend_requests_started_total',
          growingAll(seconds, finishedPerSecond, REQUEST),
        );
        const inProgress = WORKERS.reduce((sum, worker) => sum + worker.running + worker.waiting, 0);
        page.gauge('dynamo_frontend_active_requests', { labels: FRONTEND, value: inProgress });
        page.gauge('dynamo_frontend_inflight_requests', { labels: FRONTEND, value: inProgress });
        page.gauge('dynamo_frontend_model_ready', { labels: FRONTEND, value: 1 });
        page.gauge('dynamo_frontend_model_total_kv_blocks', {
          labels: FRONTEND,
          value: WORKERS[0]?.blocksTotal ?? 0,
        });
        page.gauge('dynamo_frontend_model_max_num_seqs', {
          labels: FRONTEND,
          value: WORKERS[0]?.batchMax ?? 0,
        });
        page.gauge('dynamo_frontend_model_context_length', {
          labels: FRONTEND,
          value: WORKERS[0]?.contextMax ?? 0,
        });
        page.counter(
          'dynamo_frontend_output_tokens_total',
          growingAll(seconds, generatedTokensPerSecond, FRONTEND),
        );
        // One series a worker keeps the mixture exact; a real frontend has one.
        const all = (
          name: string,
          edges: readonly number[],
          samples: (worker: TruthWorker) => Samples,
          perSecond: (worker: TruthWorker) => number = finishedPerSecond,
        ) =>
          page.histogram(
            `dynamo_frontend_${name}`,
            ...WORKERS.map((worker, index) => ({
              labels: { ...FRONTEND, shard: String(index) },
              edges,
              samples: samples(worker),
              observed: perSecond(worker) * seconds,
            })),
          );
        all('time_to_first_token_seconds', TTFT, (w) => w.ttft);
        all('inter_token_latency_seconds', ITL, (w) => w.interToken, generatedTokensPerSecond);
        all('request_duration_seconds', DURATION, (w) => w.duration);
        all('input_sequence_tokens', INPUT, (w) => w.promptTokens);
        all('cached_tokens', CACHED, (w) => w.promptTokens.map((tokens) => tokens * w.cachedShare));
        page.gauge(
          'dynamo_frontend_worker_active_prefill_tokens',
          ...WORKERS.map((worker, index) => ({
            labels: { worker_id: String(7_587_000 + index), dp_rank: '0', worker_type: 'decode' },
            value: worker.waiting * 1000,
          })),
        );
      },
    ),
  ],
  edges: { ttft: TTFT, tbt: ITL, duration: DURATION, promptTokens: INPUT },
  failures: ['oom', 'crash', 'timeout', 'overload'],
  // What the frontend counts is the fleet's, under the frontend's own name.
  proxies: {
    requests_running: eachWorker((worker) => exactly(worker.running + worker.waiting)),
    generation_tokens_rate: { 'frontend-0': about(sumOf(generatedTokensPerSecond)) },
    prompt_tokens_rate: { 'frontend-0': about(sumOf(promptTokensPerSecond)) },
  },
  errorTypes: {
    cancelled: ['abort'],
    validation: ['input'],
    overload: ['overload'],
    response_timeout: ['timeout'],
    internal: ['oom', 'crash'],
  },
};
