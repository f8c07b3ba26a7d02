/** The exporters of a model, written by hand from what upstream documents: nothing is shared with the engine files. */

import type { InputSeries } from '../promtool.js';
import { at, type Clocked, counter, gauge, type OverTime } from './series.js';
import type { State, WorkerState } from './state.js';

export type AlertDialect = {
  /** As `wakewell rules --engine` takes them. */
  readonly engines: string;
  /** Names of the series that an alert rests on, by canonical signal; a signal that it lacks is left out. */
  readonly names: Readonly<Record<string, RegExp>>;
  readonly series: (model: string, state: State, clock: Clocked) => InputSeries[];
};

const PLACE = 'cluster="prod",namespace="serving"';
const GIB = 2 ** 30;

// The edges around the thresholds: between them nothing matters here.
const TTFT = [0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10];
const TBT = [0.025, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2];
const VLLM_TTFT = [0.25, 0.5, 0.75, 1, 2.5, 5, 10, 2560];
const VLLM_ITL = [0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.5, 80];

export const llm: AlertDialect = {
  engines: 'llm',
  names: {
    ttft_p99_seconds: /^llm_ttft_seconds/,
    tbt_p99_seconds: /^llm_tbt_seconds/,
    error_ratio: /^llm_error_total/,
    request_rate: /^llm_requests_total/,
    gpu_memory_ratio: /^llm_gpu_memory/,
    gpu_utilization: /^llm_gpu_utilization/,
    kv_cache_utilization: /^llm_kv_cache_utilization/,
    queue_depth: /^llm_queue_depth/,
    preemption_rate: /^llm_preemption_total/,
    generation_tokens_rate: /^llm_generated_tokens_total/,
    worker_up: /^(llm_kv_cache_utilization|up)/,
    replicas_available: /^llm_kv_cache_utilization/,
  },
  series(model, state, clock) {
    const labels = `${PLACE},model="${model}"`;
    const write = writer(state, clock);
    write.gateway(() => {
      write.histogram('llm_ttft_seconds', labels, TTFT, state.ttft, state.requests);
      write.histogram('llm_tbt_seconds', labels, TBT, state.tbt, state.requests);
      // One endpoint is always slow and hardly used: its own p99 is not the model's.
      write.histogram(
        'llm_ttft_seconds',
        `endpoint="/slow",${labels}`,
        TTFT,
        10,
        times(state.requests, 0.002),
        1,
      );
      write.counter(`llm_requests_total{endpoint="/v1",${labels}}`, state.requests);
      write.counter(`llm_error_total{error_type="${state.errorType}",${labels}}`, state.errors);
    });
    write.workers(model, (name, worker) => {
      const own = `worker_id="${name}",${labels},job="llm",instance="${name}:9400"`;
      write.gauge(`llm_kv_cache_utilization{${own}}`, worker.kv);
      write.gauge(`llm_queue_depth{${own}}`, worker.queue);
      write.gauge(`llm_batch_size{${own}}`, worker.running);
      write.counter(`llm_generated_tokens_total{${own}}`, worker.tokens);
      write.counter(`llm_preemption_total{reason="memory",${own}}`, worker.preemptions);
      write.gauge(`llm_gpu_utilization{gpu_id="0",${own}}`, worker.gpuUtilization);
      write.gauge(`llm_gpu_memory_used_bytes{gpu_id="0",${own}}`, times(worker.gpuMemoryGib, GIB));
      write.gauge(`llm_gpu_memory_total_bytes{gpu_id="0",${own}}`, times(worker.gpuCapacityGib, GIB));
    });
    write.targets(model, (name) => `job="llm",instance="${name}:9400",${PLACE}`);
    return write.series;
  },
};

export const vllm: AlertDialect = {
  engines: 'vllm,dcgm,kube-state-metrics',
  names: {
    ttft_p99_seconds: /^vllm:time_to_first_token/,
    tbt_p99_seconds: /^vllm:inter_token_latency/,
    error_ratio: /^http_requests_total/,
    request_rate: /^vllm:request_success_total/,
    gpu_memory_ratio: /^DCGM_FI_DEV_FB/,
    gpu_utilization: /^DCGM_FI_DEV_GPU_UTIL/,
    kv_cache_utilization: /^vllm:kv_cache_usage_perc/,
    queue_depth: /^vllm:num_requests_waiting/,
    preemption_rate: /^vllm:num_preemptions_total/,
    generation_tokens_rate: /^vllm:generation_tokens_total/,
    worker_up: /^(up|vllm:num_requests_running)/,
    replicas_available: /^vllm:num_requests_running/,
  },
  series(model, state, clock) {
    const write = writer(state, clock);
    const target = (name: string) => `job="vllm",instance="${name}:8000",pod="${name}",${PLACE}`;
    write.workers(model, (name, worker) => {
      const half = (quantity: OverTime) => times(quantity, 0.5);
      const own = `model_name="${model}",engine="0",${target(name)}`;
      write.gauge(`vllm:kv_cache_usage_perc{${own}}`, worker.kv);
      write.gauge(`vllm:num_requests_waiting{${own}}`, worker.queue);
      write.gauge(`vllm:num_requests_running{${own}}`, worker.running);
      write.counter(`vllm:generation_tokens_total{${own}}`, worker.tokens);
      write.counter(`vllm:num_preemptions_total{${own}}`, worker.preemptions);
      write.counter(`vllm:request_success_total{finished_reason="stop",${own}}`, half(state.requests));
      write.counter(`vllm:request_success_total{finished_reason="abort",${own}}`, half(state.refused));
      const http = `handler="/v1/chat/completions",method="POST",${target(name)}`;
      write.counter(`http_requests_total{status="2xx",${http}}`, half(minus(state.requests, state.errors)));
      write.counter(`http_requests_total{status="4xx",${http}}`, half(state.refused));
      write.counter(`http_requests_total{status="5xx",${http}}`, half(state.errors));
      write.histogram('vllm:time_to_first_token_seconds', own, VLLM_TTFT, state.ttft, half(state.requests));
      write.histogram('vllm:inter_token_latency_seconds', own, VLLM_ITL, state.tbt, half(state.requests));
      // DCGM counts per cent and MiB, and calls the pod that holds the GPU exported.
      const gpu = `gpu="0",UUID="GPU-${name}",exported_pod="${name}",exported_namespace="serving",cluster="prod",namespace="gpu-operator",pod="dcgm-1"`;
      write.gauge(`DCGM_FI_DEV_GPU_UTIL{${gpu}}`, times(worker.gpuUtilization, 100));
      write.gauge(`DCGM_FI_DEV_FB_USED{${gpu}}`, times(worker.gpuMemoryGib, 1024));
      write.gauge(
        `DCGM_FI_DEV_FB_FREE{${gpu}}`,
        times(minus(worker.gpuCapacityGib, worker.gpuMemoryGib), 1024),
      );
      if (state.replicasWanted !== null)
        write.gauge(`kube_pod_info{pod="${name}",created_by_name="${model}-5d9c",${PLACE}}`, 1);
    });
    if (state.replicasWanted !== null)
      write.gauge(`kube_deployment_spec_replicas{deployment="${model}",${PLACE}}`, state.replicasWanted);
    write.targets(model, target);
    return write.series;
  },
};

function writer(state: State, clock: Clocked) {
  const series: InputSeries[] = [];
  // A worker that is down shows nothing; who writes outside of a worker is a gateway and always there.
  let shown: OverTime = 1;
  const whileUp = (quantity: OverTime) => (minute: number) =>
    (at(shown, minute) ?? 0) > 0 ? at(quantity, minute) : null;
  const isLeftOut = (name: string) => state.without?.test(name) === true;
  const self = {
    series,
    gauge(name: string, value: OverTime) {
      if (!isLeftOut(name)) series.push(gauge(name, whileUp(value), clock));
    },
    counter(name: string, perSecond: OverTime) {
      if (!isLeftOut(name)) series.push(counter(name, whileUp(perSecond), clock, state.resets));
    },
    /** All observations in the first bucket, but for `share` of them at `slow`. */
    histogram(
      name: string,
      labels: string,
      edges: readonly number[],
      slow: OverTime,
      perSecond: OverTime,
      share = 0.1,
    ) {
      const upTo = (edge: number) => (minute: number) => {
        const all = at(perSecond, minute);
        const slowAt = at(slow, minute);
        return all === null || slowAt === null ? null : slowAt <= edge ? all : all * (1 - share);
      };
      for (const edge of [...edges, Number.POSITIVE_INFINITY]) {
        const le = edge === Number.POSITIVE_INFINITY ? '+Inf' : String(edge);
        const isLast = edge === Number.POSITIVE_INFINITY;
        self.counter(`${name}_bucket{le="${le}",${labels}}`, isLast ? perSecond : upTo(edge));
      }
    },
    gateway(write: () => void) {
      shown = 1;
      write();
    },
    workers(model: string, write: (name: string, worker: WorkerState) => void) {
      for (const [name, worker] of workersOf(model, state)) {
        shown = worker.up;
        write(name, worker);
      }
      shown = 1;
    },
    targets(model: string, labelsOf: (name: string) => string) {
      for (const [name, worker] of workersOf(model, state)) self.gauge(`up{${labelsOf(name)}}`, worker.up);
    },
  };
  return self;
}

function workersOf(model: string, state: State): [string, WorkerState][] {
  return [
    [`${model}-a`, state],
    [`${model}-b`, { ...state, ...state.b }],
  ];
}

function times(quantity: OverTime, factor: number): OverTime {
  return (minute) => {
    const value = at(quantity, minute);
    return value === null ? null : value * factor;
  };
}

function minus(left: OverTime, right: OverTime): OverTime {
  return (minute) => {
    const [a, b] = [at(left, minute), at(right, minute)];
    return a === null ? null : a - (b ?? 0);
  };
}
