/**
 * The llm-d router's endpoint picker on :9090. Read in pkg/epp/metrics and docs/metrics.md of llm-d-router after v0.10:
 * request labels model_name, target_model_name, fairness_id, priority; the first series of the old GIE names are
 * emitted beside the new ones; pool figures are means; one token edge is 32778, as in its source.
 */

import type { Dialect } from '../dialect.js';
import { about, sumOf } from '../expectations.js';
import {
  finishedPerSecond,
  generatedTokensPerSecond,
  MODEL,
  promptTokensPerSecond,
  type Samples,
  type TruthWorker,
  WORKERS,
} from '../truth.js';
import { growingAll, sharedPage } from './pages.js';

const TTFT = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60, 120,
];
const ITL = [
  0.0005, 0.00205, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1,
  1.5, 2,
];
const DURATION = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60, 120,
  180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600,
];
const TOKENS = [
  1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_778, 65_536, 131_072, 262_144, 524_288,
  1_048_576,
];
const FLOW_CONTROL = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 5, 10, 60];

const REQUEST = { model_name: MODEL, target_model_name: MODEL, fairness_id: 'default', priority: '0' };
const POOL = { name: 'llama-70b-pool' };

export const llmD: Dialect = {
  engine: 'llm-d',
  honorLabels: false,
  pages: [
    sharedPage({ job: 'epp', pod: 'epp-0', instance: '10.0.0.9:9090' }, 'go', (page, seconds) => {
      for (const prefix of ['llm_d_epp', 'inference_objective'])
        page.counter(`${prefix}_request_total`, growingAll(seconds, finishedPerSecond, REQUEST));
      const failed = (code: string, perSecond: (worker: TruthWorker) => number) =>
        growingAll(seconds, perSecond, { ...REQUEST, error_code: code });
      page.counter(
        'llm_d_epp_request_error_total',
        failed('ModelServerError', (w) => w.errorsPerSecond.oom + w.errorsPerSecond.crash),
        failed('Timeout', (w) => w.errorsPerSecond.timeout),
        failed('ResourceExhausted', (w) => w.errorsPerSecond.overload),
        failed('BadRequest', (w) => w.errorsPerSecond.input),
      );
      const inProgress = WORKERS.reduce((sum, worker) => sum + worker.running + worker.waiting, 0);
      page.gauge('llm_d_epp_request_running', { labels: { model_name: MODEL }, value: inProgress });
      const all = (
        name: string,
        edges: readonly number[],
        samples: (worker: TruthWorker) => Samples,
        perSecond: (worker: TruthWorker) => number = finishedPerSecond,
        more: Record<string, string> = {},
      ) =>
        page.histogram(
          `llm_d_epp_${name}`,
          ...WORKERS.map((worker, index) => ({
            labels: { ...REQUEST, ...more, fairness_id: `tenant-${index}` },
            edges,
            samples: samples(worker),
            observed: perSecond(worker) * seconds,
          })),
        );
      all('request_ttft_seconds', TTFT, (w) => w.ttft, finishedPerSecond, { streaming: 'true' });
      all('request_streaming_itl_seconds', ITL, (w) => w.interToken, generatedTokensPerSecond);
      all('request_duration_seconds', DURATION, (w) => w.duration);
      all('request_input_tokens', TOKENS, (w) => w.promptTokens);
      all('request_output_tokens', TOKENS, (w) => w.outputTokens);
      all('request_cached_tokens', TOKENS, (w) => w.promptTokens.map((tokens) => tokens * w.cachedShare));
      // With the flowControl feature gate.
      all('flow_control_request_queue_duration_seconds', FLOW_CONTROL, (w) => w.queueWait);
      const ready = WORKERS.length;
      const meanOf = (read: (worker: TruthWorker) => number) =>
        WORKERS.reduce((sum, worker) => sum + read(worker), 0) / ready;
      page.gauge('llm_d_epp_average_kv_cache_utilization', {
        labels: POOL,
        value: meanOf((w) => 1 - w.blocksFree / w.blocksTotal),
      });
      page.gauge('llm_d_epp_average_queue_size', { labels: POOL, value: meanOf((w) => w.waiting) });
      page.gauge('llm_d_epp_average_running_requests', { labels: POOL, value: meanOf((w) => w.running) });
      page.gauge('llm_d_epp_ready_endpoints', { labels: POOL, value: ready });
      page.gauge(
        'llm_d_epp_per_endpoint_queue_size',
        ...WORKERS.map((worker) => ({
          labels: { ...POOL, model_server_endpoint: worker.name },
          value: worker.waiting,
        })),
      );
    }),
  ],
  edges: { ttft: TTFT, tbt: ITL, duration: DURATION, queueWait: FLOW_CONTROL, promptTokens: TOKENS },
  failures: ['oom', 'crash', 'timeout', 'overload', 'input'],
  proxies: {
    // Requests come without a fairness id here, but each worker's tokens have one.
    request_rate_by_tenant: { default: about(sumOf(finishedPerSecond)) },
    prompt_tokens_rate_by_tenant: Object.fromEntries(
      WORKERS.map((worker, index) => [`tenant-${index}`, about(promptTokensPerSecond(worker))]),
    ),
    error_rate_by_tenant: {
      default: about(sumOf(({ errorsPerSecond: e }) => e.oom + e.crash + e.timeout + e.overload + e.input)),
    },
    generation_tokens_rate: { 'epp-0': about(sumOf(generatedTokensPerSecond)) },
    prompt_tokens_rate: { 'epp-0': about(sumOf(promptTokensPerSecond)) },
  },
  errorTypes: {
    ModelServerError: ['oom', 'crash'],
    Timeout: ['timeout'],
    ResourceExhausted: ['overload'],
    BadRequest: ['input'],
  },
};
