/** The eight alerts with fixed names: what their conditions ask beside the plain comparison is there for a reason each. */

import { MINUTE } from '../domain/clock.js';
import type { AlertDefinition } from './alert-definition.js';

const WINDOW = 5 * MINUTE;

export const FIXED_ALERTS: readonly AlertDefinition[] = [
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
    inhibitedBy: ['LLMHighTTFT'],
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
