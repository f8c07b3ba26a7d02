/** What the fleet shows to a scraper, in the canonical `llm_*` names and in vLLM's. Written by hand: foreign to the catalog. */

import { writeHistogram, writeSimple } from './prometheus-text.js';
import type { FleetSnapshot, WorkerSnapshot } from './snapshot.js';

/** Generation throughput needs two looks: tokens per second by worker name, measured by whoever scrapes. */
export type Throughput = ReadonlyMap<string, number>;

/** Labels of the GPU a worker runs on. */
export function gpuLabels(snapshot: FleetSnapshot, worker: WorkerSnapshot): Record<string, string> {
  const index = snapshot.workers.indexOf(worker);
  return { gpu_id: String(index), worker_id: worker.name, node: `gpu-node-${Math.floor(index / 4)}` };
}

/** One worker's page, or the gateway's without a worker. An unknown worker or one that is down gives null: it does not answer. */
export function renderLlmMetrics(
  snapshot: FleetSnapshot,
  workerName?: string,
  throughput?: Throughput,
): string | null {
  if (workerName === undefined) return renderGateway(snapshot);
  const worker = answering(snapshot, workerName);
  if (worker === null) return null;
  const labels = { worker_id: worker.name };
  const gpu = gpuLabels(snapshot, worker);
  const gauge = (name: string, help: string, value: number, own: Record<string, string> = labels) =>
    writeSimple(name, 'gauge', help, [{ labels: own, value }]);
  const counter = (name: string, help: string, value: number, own: Record<string, string> = labels) =>
    writeSimple(name, 'counter', help, [{ labels: own, value }]);
  return [
    renderGpu(snapshot, worker),
    gauge('llm_tokens_per_second', 'Generation throughput', throughput?.get(worker.name) ?? 0, {
      model: worker.model,
      ...labels,
    }),
    gauge('llm_kv_cache_utilization', 'KV cache blocks in use', kvUtilisation(worker), {
      ...labels,
      gpu_id: gpu.gpu_id ?? '',
    }),
    gauge('llm_queue_depth', 'Requests waiting', worker.waiting, { ...labels, priority: 'normal' }),
    gauge('llm_batch_size', 'Requests in the running batch', worker.running),
    gauge('llm_batch_size_max', 'Configured maximum batch', worker.batchMax),
    gauge('llm_requests_in_progress', 'Requests accepted and not finished', worker.running + worker.waiting),
    gauge('llm_kv_blocks_free', 'Free KV cache blocks', worker.blocksFree),
    gauge('llm_kv_blocks_total', 'KV cache blocks', worker.blocksTotal),
    gauge('llm_kv_fragmentation_ratio', 'Free KV memory that no request can use', 0),
    gauge('llm_context_length_max', 'Configured maximum context length', worker.contextMax),
    counter('llm_preemption_total', 'Requests evicted from the batch', worker.preemptions, {
      ...labels,
      reason: 'memory',
    }),
    counter('llm_generated_tokens_total', 'Tokens generated', worker.generatedTokens),
    counter('llm_prompt_tokens_total', 'Prompt tokens prefilled', worker.promptTokens),
    counter('llm_worker_restarts_total', 'Restarts of the worker', worker.restarts),
    writeHistogram('llm_queue_wait_seconds', 'Arrival to first scheduling', [
      { labels, value: worker.queueWait },
    ]),
  ].join('');
}

/** The GPU gauges alone: what a GPU exporter beside the engine would serve. */
export function renderGpuMetrics(snapshot: FleetSnapshot, workerName: string): string | null {
  const worker = answering(snapshot, workerName);
  return worker === null ? null : renderGpu(snapshot, worker);
}

/** Share of KV cache blocks in use, 0 to 1. */
export function kvUtilisation(worker: WorkerSnapshot): number {
  return 1 - worker.blocksFree / worker.blocksTotal;
}

function renderGateway({ gateway }: FleetSnapshot): string {
  return [
    writeHistogram('llm_ttft_seconds', 'Request received to first generated token', gateway.ttft),
    writeHistogram('llm_tbt_seconds', 'Time between tokens while generating', gateway.tbt),
    writeHistogram('llm_request_duration_seconds', 'Whole request', gateway.duration),
    writeHistogram('llm_prompt_tokens', 'Prompt length', gateway.promptTokens),
    writeSimple('llm_requests_total', 'counter', 'All requests', gateway.requests),
    writeSimple('llm_error_total', 'counter', 'Failed requests', gateway.errors),
  ].join('');
}

function renderGpu(snapshot: FleetSnapshot, worker: WorkerSnapshot): string {
  const labels = gpuLabels(snapshot, worker);
  const gauge = (name: string, help: string, value: number) =>
    writeSimple(name, 'gauge', help, [{ labels, value }]);
  return [
    gauge('llm_gpu_utilization', 'SM utilization, 0 to 1', worker.gpuUtilisation),
    gauge('llm_gpu_memory_used_bytes', 'GPU memory in use', Math.round(worker.gpuMemoryUsed)),
    gauge('llm_gpu_memory_total_bytes', 'GPU memory capacity', worker.gpuMemoryTotal),
  ].join('');
}

/** One worker's page as vLLM's API server serves it. Null as in renderLlmMetrics. */
export function renderVllmMetrics(snapshot: FleetSnapshot, workerName: string): string | null {
  const worker = answering(snapshot, workerName);
  if (worker === null) return null;
  const labels = { model_name: worker.model, engine: '0' };
  const gauge = (name: string, help: string, value: number) =>
    writeSimple(`vllm:${name}`, 'gauge', help, [{ labels, value }]);
  const counter = (name: string, help: string, value: number) =>
    writeSimple(`vllm:${name}_total`, 'counter', help, [{ labels, value }]);
  const histogram = (name: string, help: string, value: WorkerSnapshot['ttft']) =>
    writeHistogram(`vllm:${name}`, help, [{ labels, value }]);
  const { finishes } = worker;
  const http = (status: string, value: number) => ({
    labels: { handler: '/v1/chat/completions', method: 'POST', status },
    value,
  });
  return [
    gauge('num_requests_running', 'Number of requests in model execution batches.', worker.running),
    gauge('num_requests_waiting', 'Number of requests waiting to be processed.', worker.waiting),
    gauge('kv_cache_usage_perc', 'KV-cache usage. 1 means 100 percent usage.', kvUtilisation(worker)),
    counter('num_preemptions', 'Cumulative number of preemption from the engine.', worker.preemptions),
    counter('prefix_cache_queries', 'Prefix cache queries, in tokens.', worker.prefixQueryTokens),
    counter('prefix_cache_hits', 'Prefix cache hits, in tokens.', worker.prefixHitTokens),
    counter('prompt_tokens', 'Number of prefill tokens processed.', worker.promptTokens),
    counter('generation_tokens', 'Number of generation tokens processed.', worker.generatedTokens),
    writeSimple(
      'vllm:request_success_total',
      'counter',
      'Count of successfully processed requests.',
      Object.entries({ ...finishes, length: 0 }).map(([reason, value]) => ({
        labels: { ...labels, finished_reason: reason },
        value,
      })),
    ),
    writeSimple('vllm:cache_config_info', 'gauge', 'Information of the LLMEngine CacheConfig', [
      {
        labels: {
          ...labels,
          block_size: String(worker.blockSize),
          num_gpu_blocks: String(worker.blocksTotal),
          gpu_memory_utilization: '0.88',
        },
        value: 1,
      },
    ]),
    histogram('time_to_first_token_seconds', 'Histogram of time to first token in seconds.', worker.ttft),
    histogram('inter_token_latency_seconds', 'Histogram of inter-token latency.', worker.interToken),
    histogram('e2e_request_latency_seconds', 'Histogram of e2e request latency.', worker.duration),
    histogram('request_queue_time_seconds', 'Time spent in WAITING phase.', worker.requestQueue),
    histogram('request_prefill_time_seconds', 'Time spent in PREFILL phase.', worker.requestPrefill),
    histogram('request_decode_time_seconds', 'Time spent in DECODE phase.', worker.requestDecode),
    histogram('request_prompt_tokens', 'Number of prefill tokens processed.', worker.promptLength),
    histogram('request_generation_tokens', 'Number of generation tokens processed.', worker.outputLength),
    // The instrumentator groups status codes; a stream that its caller leaves was still a 200.
    writeSimple('http_requests_total', 'counter', 'Total number of requests by method, status and handler.', [
      http('2xx', finishes.stop + finishes.abort),
      http('5xx', finishes.error),
    ]),
  ].join('');
}

function answering(snapshot: FleetSnapshot, name: string): WorkerSnapshot | null {
  const worker = snapshot.workers.find((candidate) => candidate.name === name);
  return worker?.up ? worker : null;
}
