/** The alerts we generate rules for: the eight fixed names. One definition serves PromQL rules and the in-process evaluator. */

import { MINUTE } from '../domain/clock.js';
import type { Severity } from '../domain/severity.js';

export type SideCondition = {
  readonly signal: string;
  readonly over: '>' | '<';
  readonly threshold: string;
  readonly aggregate: Aggregate;
};

/** `scope`: the signal's one value; `max`/`sum`: over its workers. */
export type Aggregate = 'scope' | 'max' | 'sum';

export type AlertCondition = SideCondition & {
  /** At least one of these must hold as well. */
  readonly and?: { readonly anyOf: readonly SideCondition[] };
};

export type AlertDefinition = {
  readonly name: string;
  readonly severity: Severity;
  readonly forMs: number;
  /** Window of rates and quantiles in ms. */
  readonly windowMs: number;
  readonly condition: AlertCondition;
  readonly title: string;
  /** Prometheus template: `{{ $value }}` is the present value. */
  readonly summary: string;
};

const WINDOW = 5 * MINUTE;

export const ALERTS: readonly AlertDefinition[] = [
  {
    name: 'LLMHighTTFT',
    severity: 'critical',
    forMs: 5 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'ttft_p99_seconds',
      over: '>',
      threshold: 'ttft_p99_seconds.critical',
      aggregate: 'scope',
    },
    title: 'First tokens are slow',
    summary: 'TTFT p99 is {{ $value | printf "%.1f" }} s',
  },
  {
    name: 'LLMElevatedTTFT',
    severity: 'warning',
    forMs: 10 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'ttft_p99_seconds',
      over: '>',
      threshold: 'ttft_p99_seconds.warning',
      aggregate: 'scope',
    },
    title: 'First tokens are getting slow',
    summary: 'TTFT p99 is {{ $value | printf "%.1f" }} s',
  },
  {
    name: 'LLMHighTBT',
    severity: 'critical',
    forMs: 5 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'tbt_p99_seconds',
      over: '>',
      threshold: 'tbt_p99_seconds.critical',
      aggregate: 'scope',
    },
    title: 'Tokens come slowly',
    summary: 'TBT p99 is {{ $value | printf "%.3f" }} s',
  },
  {
    name: 'LLMHighErrorRate',
    severity: 'critical',
    forMs: 3 * MINUTE,
    windowMs: MINUTE,
    condition: { signal: 'error_ratio', over: '>', threshold: 'error_ratio.critical', aggregate: 'scope' },
    title: 'Requests fail',
    summary: '{{ $value | humanizePercentage }} of requests fail',
  },
  {
    // Pools are allocated at start, so 95 % for ever is normal; with failing requests or restarts it is not.
    name: 'LLMGPUMemoryCritical',
    severity: 'critical',
    forMs: 2 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'gpu_memory_ratio',
      over: '>',
      threshold: 'gpu_memory_ratio.critical',
      aggregate: 'max',
      and: {
        anyOf: [
          { signal: 'error_ratio', over: '>', threshold: 'error_ratio.warning', aggregate: 'scope' },
          { signal: 'gpu_memory_ratio', over: '>', threshold: 'gpu_memory_ratio.full', aggregate: 'max' },
        ],
      },
    },
    title: 'GPU memory runs out',
    summary: 'GPU memory is {{ $value | humanizePercentage }} full',
  },
  {
    name: 'LLMKVCachePressure',
    severity: 'warning',
    forMs: 10 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'kv_cache_utilization',
      over: '>',
      threshold: 'kv_cache_utilization.warning',
      aggregate: 'max',
    },
    title: 'KV cache is filling',
    summary: 'KV cache is {{ $value | humanizePercentage }} full on the worst worker',
  },
  {
    // A full cache alone is good utilisation on some engines: it pages only together with its damage.
    name: 'LLMKVCachePressure',
    severity: 'critical',
    forMs: 5 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'kv_cache_utilization',
      over: '>',
      threshold: 'kv_cache_utilization.critical',
      aggregate: 'max',
      and: {
        anyOf: [
          { signal: 'preemption_rate', over: '>', threshold: 'preemption_rate.critical', aggregate: 'sum' },
          { signal: 'queue_depth', over: '>', threshold: 'queue_depth.critical', aggregate: 'sum' },
        ],
      },
    },
    title: 'KV cache is full',
    summary: 'KV cache is {{ $value | humanizePercentage }} full on the worst worker',
  },
  {
    name: 'LLMPreemptionStorm',
    severity: 'critical',
    forMs: 5 * MINUTE,
    windowMs: WINDOW,
    condition: {
      signal: 'preemption_rate',
      over: '>',
      threshold: 'preemption_rate.critical',
      aggregate: 'sum',
    },
    title: 'Running requests are evicted',
    summary: '{{ $value | printf "%.1f" }} preemptions a second',
  },
  {
    // The whole scope's queue: a single hot worker shows as TTFT, and would fire this alone too easily.
    name: 'LLMQueueBuildup',
    severity: 'warning',
    forMs: 5 * MINUTE,
    windowMs: WINDOW,
    condition: { signal: 'queue_depth', over: '>', threshold: 'queue_depth.critical', aggregate: 'sum' },
    title: 'Requests pile up',
    summary: '{{ $value | printf "%.0f" }} requests wait',
  },
];
