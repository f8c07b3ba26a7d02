/** The alerts we generate rules for: the eight fixed names. One definition serves PromQL rules and the in-process evaluator. */

import { MINUTE } from '../domain/clock.js';
import type { Severity } from '../domain/severity.js';

/** `scope`: the signal's one value; `max`/`sum`: over its workers. */
export type Aggregate = 'scope' | 'max' | 'sum';

export type SideCondition = {
  readonly signal: string;
  readonly over: '>' | '<';
  /** Name of a catalog threshold. */
  readonly threshold: string;
  readonly aggregate: Aggregate;
  /** Only the part of a split signal with this value of its label, such as error_type = oom. */
  readonly where?: { readonly label: string; readonly value: string };
  /**
   * Compares the rise over `overMs` in place of the value: each worker's for `max`, the total's for `sum`. `from`
   * names the threshold that it must have been above by then, so that a start is not taken for growth.
   */
  readonly rise?: { readonly overMs: number; readonly from?: string };
};

export type AlertCondition = SideCondition & {
  /** At least one of these must hold as well. */
  readonly and?: { readonly anyOf: readonly SideCondition[] };
  /**
   * Also fires, with the value +Inf, when requests are held and no token comes out: a latency histogram counts
   * only what came out, so it falls silent in a stall, which is the worst latency of all.
   */
  readonly orStalled?: true;
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
      orStalled: true,
    },
    title: 'First tokens are slow',
    summary:
      '{{ if gt $value 1e9 }}No token comes out while requests wait{{ else }}TTFT p99 is {{ $value | printf "%.1f" }} s{{ end }}',
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
    // Engines allocate their pool at start and stand above 90 % for ever. It pages only for what is no pool:
    // memory that still grows after the weights were loaded, or requests that fail for want of it.
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
          {
            signal: 'gpu_memory_ratio',
            over: '>',
            threshold: 'gpu_memory_ratio.growth',
            aggregate: 'max',
            rise: { overMs: 10 * MINUTE, from: 'gpu_memory_ratio.loaded' },
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
          { signal: 'preemption_rate', over: '>', threshold: 'preemption_rate.warning', aggregate: 'sum' },
          { signal: 'queue_depth', over: '>', threshold: 'queue_depth.critical', aggregate: 'sum' },
          {
            signal: 'queue_depth',
            over: '>',
            threshold: 'queue_depth.growth',
            aggregate: 'sum',
            rise: { overMs: 5 * MINUTE },
          },
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
    // The whole scope's queue: it asks whether capacity is short. The fullest worker's queue would fire for one hot
    // worker among idle ones, which is a routing fault and shows as TTFT; an average would hide both.
    name: 'LLMQueueBuildup',
    severity: 'warning',
    forMs: 5 * MINUTE,
    windowMs: WINDOW,
    condition: { signal: 'queue_depth', over: '>', threshold: 'queue_depth.critical', aggregate: 'sum' },
    title: 'Requests pile up',
    summary: '{{ $value | printf "%.0f" }} requests wait',
  },
];
