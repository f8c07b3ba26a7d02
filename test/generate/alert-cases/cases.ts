/** For each alert a state in which it must fire, and one just short of it in which it must not. */

import { CHANGES_AT, from, type State } from './state.js';

export type AlertCase = {
  readonly alert: string;
  readonly severity: 'critical' | 'warning' | 'info';
  /** What the alert rests on: without its series it cannot fire. */
  readonly signal: string;
  readonly fires: Partial<State>;
  readonly quiet: Partial<State>;
  /** Further ways to fire, or not, by what they are. */
  readonly alsoFires?: Readonly<Record<string, Partial<State>>>;
  readonly alsoQuiet?: Readonly<Record<string, Partial<State>>>;
  /** Compares with an hour ago, so that hour has to be told as well. */
  readonly looksBack?: true;
  /** Only where the dialect can show it. */
  readonly only?: 'llm' | 'vllm';
};

/** From the change on, so much more a minute. */
const growing = (usual: number, perMinute: number) => (minute: number) =>
  minute < CHANGES_AT ? usual : usual + perMinute * (minute - CHANGES_AT);

/** States that last from CHANGES_AT on, asked twenty minutes later. */
export const CASES: readonly AlertCase[] = [
  {
    alert: 'LLMHighTTFT',
    severity: 'critical',
    signal: 'ttft_p99_seconds',
    fires: { ttft: from(0.3, 8) },
    quiet: { ttft: from(0.3, 3) },
    alsoFires: {
      'beyond the last bucket': { ttft: from(0.3, Number.POSITIVE_INFINITY) },
      'on a stall of all workers': { tokens: from(900, 0), requests: from(100, 0), queue: from(4, 12) },
    },
  },
  {
    alert: 'LLMElevatedTTFT',
    severity: 'warning',
    signal: 'ttft_p99_seconds',
    fires: { ttft: from(0.3, 3) },
    quiet: { ttft: from(0.3, 0.9) },
    alsoFires: { 'beyond the last bucket': { ttft: from(0.3, Number.POSITIVE_INFINITY) } },
  },
  {
    alert: 'LLMHighTBT',
    severity: 'critical',
    signal: 'tbt_p99_seconds',
    fires: { tbt: from(0.03, 0.3) },
    quiet: { tbt: from(0.03, 0.12) },
    alsoFires: { 'beyond the last bucket': { tbt: from(0.03, Number.POSITIVE_INFINITY) } },
  },
  {
    alert: 'LLMElevatedTBT',
    severity: 'warning',
    signal: 'tbt_p99_seconds',
    fires: { tbt: from(0.03, 0.09) },
    quiet: { tbt: from(0.03, 0.06) },
    alsoFires: { 'beyond the last bucket': { tbt: from(0.03, Number.POSITIVE_INFINITY) } },
  },
  {
    alert: 'LLMHighErrorRate',
    severity: 'critical',
    signal: 'error_ratio',
    fires: { errors: from(0.02, 8) },
    quiet: { errors: from(0.02, 4) },
    alsoQuiet: {
      'a late failure without any request': { requests: from(100, 0), errors: from(0.02, 0.02) },
      'callers that are refused or leave': { refused: from(5, 60) },
    },
  },
  {
    alert: 'LLMElevatedErrorRate',
    severity: 'warning',
    signal: 'error_ratio',
    fires: { errors: from(0.02, 2) },
    quiet: { errors: from(0.02, 0.8) },
  },
  {
    alert: 'LLMGPUMemoryCritical',
    severity: 'critical',
    signal: 'gpu_memory_ratio',
    fires: { gpuMemoryGib: growing(34, 0.23) },
    quiet: { gpuMemoryGib: 38.8 },
    alsoQuiet: {
      'no capacity': {
        gpuMemoryGib: growing(34, 0.23),
        gpuCapacityGib: 0,
        errors: 0.5,
        errorType: 'oom',
        without: /FB_FREE/,
      },
    },
  },
  {
    alert: 'LLMGPUMemoryPressure',
    looksBack: true,
    severity: 'warning',
    signal: 'gpu_memory_ratio',
    fires: { gpuMemoryGib: growing(36.2, 0.1) },
    quiet: { gpuMemoryGib: growing(30, 0.1) },
    alsoQuiet: { 'a pool': { gpuMemoryGib: 37.2 } },
  },
  {
    alert: 'LLMKVCachePressure',
    severity: 'warning',
    signal: 'kv_cache_utilization',
    fires: { b: { kv: from(0.7, 0.9) } },
    quiet: { kv: from(0.7, 0.84) },
  },
  {
    alert: 'LLMKVCachePressure',
    severity: 'critical',
    signal: 'kv_cache_utilization',
    fires: { kv: from(0.7, 0.98), preemptions: from(0.004, 0.1) },
    quiet: { kv: from(0.7, 0.98) },
    alsoFires: { 'with a growing queue': { kv: from(0.7, 0.98), queue: growing(4, 2) } },
    alsoQuiet: { 'preemptions alone': { preemptions: from(0.004, 0.1) } },
  },
  {
    alert: 'LLMPreemptionStorm',
    severity: 'critical',
    signal: 'preemption_rate',
    fires: { preemptions: from(0.004, 0.6) },
    quiet: { preemptions: from(0.004, 0.45) },
  },
  {
    alert: 'LLMElevatedPreemptions',
    severity: 'warning',
    signal: 'preemption_rate',
    fires: { preemptions: from(0.004, 0.06) },
    quiet: { preemptions: from(0.004, 0.045) },
  },
  {
    alert: 'LLMQueueBuildup',
    severity: 'warning',
    signal: 'queue_depth',
    fires: { queue: from(4, 120) },
    quiet: { queue: from(4, 90) },
  },
  {
    alert: 'LLMElevatedQueue',
    severity: 'warning',
    signal: 'queue_depth',
    fires: { b: { queue: from(4, 60) } },
    quiet: { queue: from(4, 45) },
  },
  {
    alert: 'LLMStalled',
    severity: 'critical',
    signal: 'generation_tokens_rate',
    fires: { b: { tokens: from(900, 0) } },
    quiet: { b: { tokens: from(900, 0), running: from(40, 0), queue: from(4, 0) } },
    alsoFires: { 'with nothing but a queue': { b: { tokens: from(900, 0), running: from(40, 0) } } },
    alsoQuiet: { 'a prefill worker of one token a request': { b: { tokens: from(900, 0.5) } } },
  },
  {
    alert: 'LLMAllWorkersDown',
    severity: 'critical',
    signal: 'worker_up',
    fires: { up: from(1, 0) },
    quiet: { b: { up: from(1, 0) } },
  },
  {
    alert: 'LLMWorkerDown',
    looksBack: true,
    severity: 'warning',
    signal: 'worker_up',
    fires: { b: { up: from(1, 0) } },
    quiet: {},
    alsoFires: { 'on a target that vanished': { b: { up: from(1, null) } } },
  },
  {
    alert: 'LLMWorkerDown',
    looksBack: true,
    severity: 'warning',
    signal: 'worker_up',
    fires: { replicasWanted: 2, b: { up: from(1, null) } },
    quiet: { replicasWanted: from(2, 1), b: { up: from(1, null) } },
    only: 'vllm',
  },
  {
    alert: 'LLMMetricsMissing',
    severity: 'warning',
    // What never was is no loss.
    signal: 'kv_cache_utilization',
    fires: { kv: from(0.7, null) },
    quiet: { requests: 0, tokens: 0 },
    alsoFires: { 'of all workers': { up: from(1, null) } },
  },
  {
    alert: 'LLMLowGPUUtilization',
    severity: 'warning',
    signal: 'gpu_utilization',
    fires: { gpuUtilization: from(0.75, 0.2), queue: from(4, 30) },
    quiet: { gpuUtilization: from(0.75, 0.2) },
    alsoQuiet: { 'one idle worker': { queue: from(4, 30), b: { gpuUtilization: from(0.75, 0) } } },
  },
  {
    alert: 'LLMNoTraffic',
    looksBack: true,
    severity: 'info',
    signal: 'request_rate',
    fires: { requests: from(100, 0), refused: from(5, 0) },
    quiet: { requests: from(100, 1) },
    alsoQuiet: { 'there never was any': { requests: 0, refused: 0 } },
  },
];

/** When a day is looked back at: things change less than an hour before it is asked. */
const LATE = 1460;
const later = (usual: number, value: number) => from(usual, value, LATE);
/** Ten minutes of yesterday's hour without a request: its quantiles are NaN there. */
const paused = (minute: number) => (minute >= 55 && minute < 65 ? 0 : 100);

/** The same for what is compared with the day before, asked after a day and an hour. */
export const DAY_CASES: readonly AlertCase[] = [
  {
    alert: 'LLMUnusualTTFT',
    severity: 'info',
    signal: 'ttft_p99_seconds',
    fires: { ttft: later(0.3, 1.5) },
    quiet: { ttft: later(0.3, 0.45) },
    alsoFires: {
      'though some minutes of yesterday had no request': { requests: paused, ttft: later(0.3, 1.5) },
      'beyond the last bucket': { ttft: later(0.3, Number.POSITIVE_INFINITY) },
    },
  },
  {
    alert: 'LLMUnusualTBT',
    severity: 'info',
    signal: 'tbt_p99_seconds',
    fires: { tbt: later(0.03, 0.12) },
    quiet: { tbt: later(0.03, 0.04) },
    alsoFires: { 'beyond the last bucket': { tbt: later(0.03, Number.POSITIVE_INFINITY) } },
  },
  {
    alert: 'LLMUnusualErrorRate',
    severity: 'info',
    signal: 'error_ratio',
    fires: { errors: later(0.02, 0.5) },
    quiet: { errors: later(0.02, 0.05) },
    alsoFires: {
      'where yesterday had none': { errors: later(0, 0.5) },
      'where nothing ever failed before': { errors: (minute) => (minute < LATE ? null : 0.5) },
    },
  },
  {
    alert: 'LLMTrafficSurge',
    severity: 'info',
    signal: 'request_rate',
    fires: { requests: later(100, 250) },
    quiet: { requests: later(100, 150) },
    alsoFires: { 'where yesterday had none': { requests: later(0, 50) } },
  },
  {
    alert: 'LLMTrafficDrop',
    severity: 'info',
    signal: 'request_rate',
    fires: { requests: later(100, 30) },
    quiet: { requests: later(100, 70) },
    alsoQuiet: { 'of next to nothing': { requests: later(0.05, 0) } },
  },
  {
    alert: 'LLMNoTraffic',
    severity: 'info',
    signal: 'request_rate',
    fires: { requests: later(100, 0), refused: later(5, 0) },
    quiet: { requests: later(100, 1) },
  },
];
