/** The canonical names of the specification, as a gateway and its workers export them. Edges as the specification lists them. */

import type { Dialect } from '../dialect.js';
import {
  type ErrorKind,
  finishedPerSecond,
  generatedTokensPerSecond,
  MODEL,
  promptTokensPerSecond,
  type Samples,
  type TruthWorker,
  WORKERS,
} from '../truth.js';
import { growing, growingAll, sharedPage, workerPages } from './pages.js';

const TTFT = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10];
const TBT = [0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2];
const DURATION = [0.1, 0.5, 1, 2, 5, 10, 30, 60];
const QUEUE_WAIT = [0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60];
const PROMPT_TOKENS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 4096, 5000, 10_000, 20_000, 32_768, 50_000, 100_000,
  131_072, 200_000,
];
const KINDS: readonly ErrorKind[] = ['oom', 'crash', 'timeout', 'overload', 'input'];
const ENDPOINT = { model: MODEL, endpoint: '/v1/chat/completions' };

export const llm: Dialect = {
  engine: 'llm',
  honorLabels: false,
  pages: [
    ...workerPages('llm', 'go', (page, worker, seconds) => {
      const own = { worker_id: worker.name, model: MODEL };
      const gpu = {
        gpu_id: String(worker.gpu.index),
        worker_id: worker.name,
        node: worker.node,
        model: MODEL,
      };
      const mib = 2 ** 20;
      page.gauge('llm_kv_cache_utilization', {
        labels: { ...own, gpu_id: String(worker.gpu.index) },
        value: 1 - worker.blocksFree / worker.blocksTotal,
      });
      page.gauge(
        'llm_queue_depth',
        { labels: { ...own, priority: 'high' }, value: Math.floor(worker.waiting / 3) },
        { labels: { ...own, priority: 'normal' }, value: worker.waiting - Math.floor(worker.waiting / 3) },
      );
      page.gauge('llm_batch_size', { labels: own, value: worker.running });
      page.gauge('llm_batch_size_max', { labels: own, value: worker.batchMax });
      page.gauge('llm_context_length_max', { labels: own, value: worker.contextMax });
      page.gauge('llm_requests_in_progress', { labels: own, value: worker.running + worker.waiting });
      page.gauge('llm_kv_blocks_free', { labels: own, value: worker.blocksFree });
      page.gauge('llm_kv_blocks_total', { labels: own, value: worker.blocksTotal });
      page.gauge('llm_kv_fragmentation_ratio', { labels: own, value: 0.02 });
      page.gauge('llm_gpu_utilization', { labels: gpu, value: worker.gpu.utilization });
      page.gauge('llm_gpu_memory_used_bytes', { labels: gpu, value: worker.gpu.usedMiB * mib });
      page.gauge('llm_gpu_memory_total_bytes', {
        labels: gpu,
        value: (worker.gpu.usedMiB + worker.gpu.freeMiB + worker.gpu.reservedMiB) * mib,
      });
      page.counter(
        'llm_preemption_total',
        growing(worker, seconds, worker.preemptionsPerSecond, { ...own, reason: 'memory' }),
      );
      page.counter(
        'llm_generated_tokens_total',
        growing(worker, seconds, generatedTokensPerSecond(worker), own),
      );
      page.counter('llm_prompt_tokens_total', growing(worker, seconds, promptTokensPerSecond(worker), own));
      const replaced = worker.restartedAt !== null && seconds >= worker.restartedAt;
      page.counter('llm_worker_restarts_total', { labels: own, value: replaced ? 1 : 0 });
      page.histogram('llm_queue_wait_seconds', {
        labels: own,
        edges: QUEUE_WAIT,
        observed: growing(worker, seconds, finishedPerSecond(worker), own).value,
        samples: worker.queueWait,
      });
    }),
    sharedPage({ job: 'llm', pod: 'gateway-0', instance: '10.0.0.9:9000' }, 'go', (page, seconds) => {
      // The gateway sees all workers' requests; one series a worker here keeps their mixture exact.
      const all = (
        edges: readonly number[],
        samples: (worker: TruthWorker) => Samples,
        perSecond: (worker: TruthWorker) => number,
        more: (index: number) => Record<string, string> = (index) => ({ shard: String(index) }),
      ) =>
        WORKERS.map((worker, index) => ({
          labels: { ...ENDPOINT, ...more(index) },
          edges,
          samples: samples(worker),
          observed: perSecond(worker) * seconds,
        }));
      page.histogram(
        'llm_ttft_seconds',
        ...all(
          TTFT,
          (w) => w.ttft,
          finishedPerSecond,
          (index) => ({ priority: `p${index}` }),
        ),
      );
      page.histogram('llm_tbt_seconds', ...all(TBT, (w) => w.interToken, generatedTokensPerSecond));
      page.histogram(
        'llm_request_duration_seconds',
        ...all(
          DURATION,
          (w) => w.duration,
          finishedPerSecond,
          (index) => ({ status: `s${index}` }),
        ),
      );
      page.histogram('llm_prompt_tokens', ...all(PROMPT_TOKENS, (w) => w.promptTokens, finishedPerSecond));
      page.counter('llm_requests_total', growingAll(seconds, finishedPerSecond, ENDPOINT));
      page.counter(
        'llm_error_total',
        ...KINDS.map((kind) =>
          growingAll(seconds, (w) => w.errorsPerSecond[kind], { ...ENDPOINT, error_type: kind }),
        ),
      );
    }),
  ],
  edges: { ttft: TTFT, tbt: TBT, duration: DURATION, queueWait: QUEUE_WAIT, promptTokens: PROMPT_TOKENS },
  failures: KINDS,
  errorTypes: Object.fromEntries(KINDS.map((kind) => [kind, [kind]])),
};
