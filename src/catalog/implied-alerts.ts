/** What the catalog's thresholds imply and the eight leave out: warning levels, hangs, and workers that are gone. */

import { DAY, HOUR, MINUTE } from '../domain/clock.js';
import type { AlertDefinition, SideCondition } from './alert-definition.js';

const WINDOW = 5 * MINUTE;

/** A model whose series are gone for longer was taken down on purpose. */
const GONE_MS = DAY;

/** How much fewer there are than an hour ago, when nothing was being replaced. */
const fallOf = (signal: string): SideCondition => ({
  signal,
  over: '>',
  threshold: 'replicas_available.fall',
  aggregate: 'sum',
  past: { agoMs: HOUR, overMs: 10 * MINUTE, as: 'fall' },
});

const gone = (signal: string, aggregate: 'max' | 'sum'): SideCondition => ({
  signal,
  over: '>',
  threshold: 'replicas_available.fall',
  aggregate,
  gone: { withinMs: GONE_MS },
});

export const IMPLIED_ALERTS: readonly AlertDefinition[] = [
  {
    // A worker that hangs keeps its last gauges and still answers 200. Latency of the others hides it in the scope's
    // quantiles, so it is looked for worker by worker.
    name: 'LLMStalled',
    severity: 'critical',
    forMs: 3 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'generation_tokens_rate',
      over: '<',
      threshold: 'generation_tokens_rate.none',
      aggregate: 'workers',
      while: [
        { signal: 'queue_depth', over: '>', threshold: 'queue_depth.none' },
        { signal: 'requests_running', over: '>', threshold: 'queue_depth.none' },
      ],
    },
    title: 'A worker holds requests and no token comes out',
    summary: '{{ $value | printf "%.0f" }} workers hold requests and give no token',
  },
  {
    // As long as the latencies' page waits: a hiccup between Prometheus and the workers looks the same.
    name: 'LLMAllWorkersDown',
    severity: 'critical',
    forMs: 5 * MINUTE,
    windowMs: WINDOW,
    condition: { signal: 'worker_up', over: '<', threshold: 'worker_up.down', aggregate: 'sum' },
    title: 'No worker answers',
    summary: 'No worker answers',
  },
  {
    // Targets that vanish have no `up` any more, so the number is compared as well; not where Kubernetes was told so.
    name: 'LLMWorkerDown',
    severity: 'warning',
    forMs: 10 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'worker_up',
      over: '<',
      threshold: 'worker_up.down',
      aggregate: 'workers',
      or: [{ ...fallOf('replicas_available'), unless: fallOf('replicas_wanted') }],
    },
    inhibitedBy: ['LLMAllWorkersDown'],
    title: 'A worker is gone',
    summary: '{{ $value | printf "%.0f" }} fewer workers answer',
  },
  {
    // Every other rule is silent about what it cannot see. Only gauges that stand without traffic: a histogram may
    // be absent because nobody asked anything since a restart.
    name: 'LLMMetricsMissing',
    severity: 'warning',
    forMs: 5 * MINUTE,
    windowMs: WINDOW,
    condition: {
      ...gone('replicas_available', 'sum'),
      or: [gone('kv_cache_utilization', 'max'), gone('queue_depth', 'sum')],
    },
    inhibitedBy: ['LLMAllWorkersDown'],
    title: 'Metrics are gone',
    summary: 'Metrics that alerts rest on are gone: nothing tells whether it is well',
  },
  {
    name: 'LLMElevatedTBT',
    severity: 'warning',
    forMs: 10 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'tbt_p99_seconds',
      over: '>',
      threshold: 'tbt_p99_seconds.warning',
      aggregate: 'scope',
    },
    inhibitedBy: ['LLMHighTBT'],
    title: 'Tokens are getting slow',
    summary: 'TBT p99 is {{ $value | printf "%.3f" }} s',
  },
  {
    // Over five minutes: at 1 % the one minute of the critical is a handful of requests.
    name: 'LLMElevatedErrorRate',
    severity: 'warning',
    forMs: 10 * MINUTE,
    windowMs: WINDOW,
    condition: { signal: 'error_ratio', over: '>', threshold: 'error_ratio.warning', aggregate: 'scope' },
    inhibitedBy: ['LLMHighErrorRate'],
    title: 'More requests fail than should',
    summary: '{{ $value | humanizePercentage }} of requests fail',
  },
  {
    // As its critical, no standing alarm for a pool: it must still grow, slowly too, or requests fail for want of it.
    name: 'LLMGPUMemoryPressure',
    severity: 'warning',
    forMs: 10 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'gpu_memory_ratio',
      over: '>',
      threshold: 'gpu_memory_ratio.warning',
      aggregate: 'max',
      and: {
        anyOf: [
          {
            signal: 'gpu_memory_ratio',
            over: '>',
            threshold: 'gpu_memory_ratio.growth',
            aggregate: 'max',
            rise: { overMs: HOUR, from: 'gpu_memory_ratio.loaded' },
          },
          {
            signal: 'error_rate_by_type',
            over: '>',
            threshold: 'error_rate_by_type.any',
            aggregate: 'sum',
            where: { label: 'error_type', value: 'oom' },
          },
        ],
      },
    },
    inhibitedBy: ['LLMGPUMemoryCritical'],
    title: 'GPU memory grows',
    summary: 'GPU memory is {{ $value | humanizePercentage }} full',
  },
  {
    name: 'LLMElevatedPreemptions',
    severity: 'warning',
    forMs: 10 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'preemption_rate',
      over: '>',
      threshold: 'preemption_rate.warning',
      aggregate: 'sum',
    },
    inhibitedBy: ['LLMPreemptionStorm'],
    title: 'Running requests are being evicted',
    summary: '{{ $value | printf "%.2f" }} preemptions a second',
  },
  {
    // The fullest worker's queue, where LLMQueueBuildup adds all up: 50 on one worker wait for seconds, 50 on sixty-four
    // are nothing. It sees the one hot worker that a sum hides.
    name: 'LLMElevatedQueue',
    severity: 'warning',
    forMs: 10 * MINUTE,
    windowMs: WINDOW,
    condition: { signal: 'queue_depth', over: '>', threshold: 'queue_depth.warning', aggregate: 'max' },
    inhibitedBy: ['LLMQueueBuildup'],
    title: 'A worker has a long queue',
    summary: '{{ $value | printf "%.0f" }} requests wait on the worst worker',
  },
  {
    // The median, since one idle worker is a spare. Without a queue a low figure is a quiet night.
    name: 'LLMLowGPUUtilization',
    severity: 'warning',
    forMs: 10 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'gpu_utilization',
      over: '<',
      threshold: 'gpu_utilization.low',
      aggregate: 'median',
      and: {
        anyOf: [{ signal: 'queue_depth', over: '>', threshold: 'queue_depth.healthy', aggregate: 'sum' }],
      },
    },
    title: 'GPUs idle while requests wait',
    summary: 'GPUs are busy {{ $value | humanizePercentage }} of the time while requests wait',
  },
];
