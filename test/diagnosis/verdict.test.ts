import { describe, expect, test } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { runSteps } from '../../src/diagnosis/run-steps.js';
import { decideVerdict } from '../../src/diagnosis/verdict.js';
import { EMPTY_REASONS, FAILURE_REASONS } from '../../src/domain/signal.js';
import type { Finding, Verdict } from '../../src/domain/verdict.js';
import { createManualClock } from '../support/manual-clock.js';
import { entryFor } from '../support/playbooks.js';
import { createScriptedSource, type Script } from '../support/scripted-source.js';

const NOW = Date.UTC(2026, 8, 1, 3, 12);
const SCOPE = { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' };
const CRITICAL_FIVE = [
  'LLMHighTTFT',
  'LLMElevatedTTFT',
  'LLMQueueBuildup',
  'LLMKVCachePressure',
  'LLMPreemptionStorm',
];

/** Eight workers, nothing wrong. Each case changes what it is about. */
const HEALTHY: Readonly<Record<string, Script>> = {
  kv_cache_utilization: 0.62,
  queue_depth: 3,
  requests_running: 60,
  batch_size_max: 128,
  kv_blocks_free: 9000,
  kv_blocks_total: 24_000,
  kv_fragmentation_ratio: 0.05,
  preemption_rate: 0,
  preemption_rate_by_reason: { byLabel: { memory: 0 } },
  gpu_utilization: 0.78,
  gpu_memory_ratio: 0.9,
  gpu_memory_used_bytes: 72 * 2 ** 30,
  generation_tokens_rate: 900,
  worker_restarts: 0,
  worker_up: 1,
  ttft_p50_seconds: 0.2,
  ttft_p99_seconds: 1.1,
  tbt_p50_seconds: 0.02,
  tbt_p99_seconds: 0.05,
  prompt_tokens_p50: 900,
  prompt_tokens_p99: 6_000,
  long_prompt_share: 0.001,
  request_rate: 24,
  prompt_tokens_rate: 3_000,
  replicas_available: 8,
  error_ratio: 0.0005,
  error_rate_by_type: { byLabel: { timeout: 0.001 } },
  request_rate_by_tenant: { byLabel: { acme: 13, globex: 11 } },
  prompt_tokens_rate_by_tenant: { byLabel: { acme: 13_000, globex: 11_000 } },
  error_rate_by_tenant: { byLabel: { acme: 0, globex: 0.001 } },
};

const SLOW = { ttft_p50_seconds: 4, ttft_p99_seconds: 11.8 };
const oneOf = (value: number, others: number, workers = 8) => [
  value,
  ...Array<number>(workers - 1).fill(others),
];

async function diagnoseWith(
  alertname: string,
  changes: Readonly<Record<string, Script | undefined>>,
  options: { readonly rising?: readonly string[] } = {},
): Promise<{ verdict: Verdict; findings: Finding[] }> {
  const table = Object.fromEntries(
    Object.entries({ ...HEALTHY, ...changes }).filter(
      (pair): pair is [string, Script] => pair[1] !== undefined,
    ),
  );
  const entry = entryFor(alertname);
  const findings = await runSteps({
    entry,
    scope: SCOPE,
    source: createScriptedSource(table, options),
    thresholds: DEFAULT_THRESHOLDS,
    atMs: NOW,
    timeScale: 1,
    deadlineMs: 4000,
    clock: createManualClock({ nowMs: NOW }),
  });
  return { findings, verdict: decideVerdict(entry, findings, { scope: SCOPE }) };
}

const EXHAUSTED = {
  ...SLOW,
  kv_cache_utilization: [0.97, 0.97, 0.96, 0.97, 0.95, 0.96, 0.97, 0.6],
  queue_depth: 70,
  preemption_rate: 1.4,
  gpu_utilization: 0.93,
};

describe('each alert, one cause', () => {
  test.each(CRITICAL_FIVE)(
    '%s: a cache full on most workers with a queue is KV exhaustion',
    async (alert) => {
      const { verdict } = await diagnoseWith(alert, EXHAUSTED);

      expect(verdict).toMatchObject({
        cause: 'kv_cache_exhausted',
        confidence: 'high',
        short: 'KV full 97% on 7 of 8',
      });
    },
  );

  test.each(CRITICAL_FIVE)('%s: a cache full on one worker of eight is a hot worker', async (alert) => {
    const { verdict } = await diagnoseWith(alert, {
      ...SLOW,
      kv_cache_utilization: oneOf(0.98, 0.55),
      queue_depth: oneOf(64, 2),
      preemption_rate: oneOf(1.2, 0),
    });

    expect(verdict).toMatchObject({ cause: 'hot_worker', confidence: 'high' });
    expect(verdict.fixes[0]?.command).toContain('worker-0');
    expect(verdict.ruledOut.map((one) => one.cause)).toContain('kv_cache_exhausted');
  });

  test.each(['LLMHighTTFT', 'LLMElevatedTTFT', 'LLMQueueBuildup', 'LLMHighErrorRate'])(
    '%s: idle GPUs with a queue are starved',
    async (alert) => {
      const { verdict } = await diagnoseWith(alert, {
        ...SLOW,
        gpu_utilization: 0.12,
        queue_depth: 80,
        requests_running: 4,
      });

      expect(verdict).toMatchObject({ cause: 'gpu_starved', confidence: 'high' });
      expect(verdict.says).toContain('scheduling, not compute');
      expect(verdict.wrongFixes.map((one) => one.fix)).toContain('Add GPU workers');
    },
  );

  test.each(['LLMHighTTFT', 'LLMElevatedTTFT', 'LLMQueueBuildup', 'LLMKVCachePressure', 'LLMHighTBT'])(
    '%s: p99 far above p50 with long prompts and room in the cache is long context',
    async (alert) => {
      const { verdict } = await diagnoseWith(alert, {
        ttft_p50_seconds: 0.3,
        ttft_p99_seconds: 9,
        prompt_tokens_p99: 128_000,
        long_prompt_share: 0.05,
        gpu_utilization: 0.95,
        queue_depth: 30,
      });

      expect(verdict).toMatchObject({ cause: 'long_context', confidence: 'high' });
    },
  );

  test.each(['LLMHighTTFT', 'LLMQueueBuildup'])(
    '%s: busy GPUs, an even queue and room in the cache are traffic above capacity',
    async (alert) => {
      const { verdict } = await diagnoseWith(alert, {
        ...SLOW,
        gpu_utilization: 0.97,
        queue_depth: 90,
        kv_cache_utilization: 0.8,
      });

      expect(verdict).toMatchObject({ cause: 'capacity_short', confidence: 'high' });
      expect(verdict.fixes.map((fix) => fix.needs)).toEqual(['none', 'scale', 'restart']);
    },
  );

  test.each([
    [
      'gpu_oom',
      { error_rate_by_type: { byLabel: { oom: 3, timeout: 0.5 } }, gpu_memory_ratio: oneOf(0.99, 0.92) },
    ],
    [
      'worker_crash',
      { error_rate_by_type: { byLabel: { crash: 2, timeout: 1 } }, worker_restarts: oneOf(3, 0) },
    ],
    ['bad_input', { error_rate_by_type: { byLabel: { input: 4, timeout: 0.1 } } }],
    [
      'deadline_timeout',
      { error_rate_by_type: { byLabel: { timeout: 4 } }, ttft_p99_seconds: 9, ttft_p50_seconds: 4 },
    ],
  ] as const)('LLMHighErrorRate: %s', async (cause, changes) => {
    const { verdict } = await diagnoseWith('LLMHighErrorRate', { error_ratio: 0.08, ...changes });

    expect(verdict).toMatchObject({ cause, confidence: 'high' });
  });

  test('timeouts that come from a full cache are KV exhaustion', async () => {
    const { verdict } = await diagnoseWith('LLMHighErrorRate', {
      ...EXHAUSTED,
      error_ratio: 0.08,
      error_rate_by_type: { byLabel: { timeout: 4 } },
    });

    expect(verdict.cause).toBe('kv_cache_exhausted');
    expect(verdict.contributing).toContain('deadline_timeout');
  });

  test.each([
    ['batch_too_large', { requests_running: 127 }, []],
    ['long_context_kv', { prompt_tokens_p99: 90_000, long_prompt_share: 0.06 }, ['prompt_tokens_p99']],
    ['fragmentation', { kv_fragmentation_ratio: 0.7 }, []],
    ['memory_leak', {}, ['gpu_memory_used_bytes']],
  ] as const)('LLMGPUMemoryCritical: %s', async (cause, changes, rising) => {
    const { verdict } = await diagnoseWith(
      'LLMGPUMemoryCritical',
      { gpu_memory_ratio: 0.97, ...changes },
      { rising },
    );

    expect(verdict).toMatchObject({ cause, confidence: 'high' });
  });

  test('a full cache with an almost empty batch and no free block is a leak, not exhaustion', async () => {
    const { verdict } = await diagnoseWith('LLMPreemptionStorm', {
      kv_cache_utilization: 0.99,
      kv_blocks_free: 0,
      requests_running: 2,
      preemption_rate: 1.5,
      queue_depth: 60,
    });

    expect(verdict).toMatchObject({ cause: 'kv_leak', confidence: 'high' });
    expect(verdict.fixes[0]).toMatchObject({
      needs: 'restart',
      command: expect.stringContaining('worker-0'),
    });
  });

  test('requests that wait on a worker without tokens are a stall, which latency does not show', async () => {
    const { verdict } = await diagnoseWith('LLMQueueBuildup', {
      generation_tokens_rate: 0,
      prompt_tokens_rate: 0,
      queue_depth: 40,
      gpu_utilization: 0.01,
      kv_cache_utilization: 0.02,
    });

    expect(verdict).toMatchObject({ cause: 'engine_stalled', confidence: 'high' });
  });

  test('a batch at its maximum with slow tokens and room in the cache is too large a batch', async () => {
    const { verdict } = await diagnoseWith('LLMHighTBT', {
      requests_running: 128,
      tbt_p99_seconds: 0.2,
      gpu_utilization: 0.9,
    });

    expect(verdict).toMatchObject({ cause: 'decode_batch_large', confidence: 'high' });
  });
});

describe('the trap', () => {
  test('cutting the batch is named as the wrong fix when the cache is full, with the number', async () => {
    const { verdict } = await diagnoseWith('LLMHighTTFT', EXHAUSTED);

    expect(verdict.wrongFixes[0]).toEqual({
      fix: 'Halve max_batch_size',
      because: expect.stringContaining('97% of KV in use on 7 of 8 workers'),
    });
    expect(verdict.fixes.map((fix) => fix.do).join()).not.toMatch(/halve max_batch_size/i);
  });

  test('under a capacity shortage the batch is halved only where the cache was seen not to be full', async () => {
    const overload = { ...SLOW, gpu_utilization: 0.97, queue_depth: 90, requests_running: 128 };
    const seen = await diagnoseWith('LLMHighTTFT', { ...overload, kv_cache_utilization: 0.8 });
    const unseen = await diagnoseWith('LLMHighTTFT', { ...overload, kv_cache_utilization: undefined });

    const halving = (verdict: Verdict) => verdict.fixes.some((fix) => fix.do === 'Halve max_batch_size');
    expect(halving(seen.verdict)).toBe(true);
    expect(unseen.verdict.cause).toBe('capacity_short');
    expect(halving(unseen.verdict)).toBe(false);
  });

  test('a storm offers the batch of one last and says what it costs', async () => {
    const { verdict } = await diagnoseWith('LLMPreemptionStorm', EXHAUSTED);

    expect(verdict.fixes.map((fix) => fix.needs)).toEqual(['none', 'scale', 'restart', 'restart']);
    expect(verdict.fixes.at(-1)).toMatchObject({ risk: expect.stringContaining('drastic') });
  });
});

describe('how many workers', () => {
  test.each([
    [4, 'kv_cache_exhausted'],
    [3, 'hot_worker'],
  ])('%i full of 8, each with a queue, leads to %s', async (full, cause) => {
    const kv = Array.from({ length: 8 }, (_, index) => (index < full ? 0.97 : 0.5));
    const { verdict, findings } = await diagnoseWith('LLMHighTTFT', {
      ...SLOW,
      kv_cache_utilization: kv,
      queue_depth: kv.map((used) => (used > 0.9 ? 64 : 2)),
    });

    expect(findings[0]?.spread).toBe(full === 4 ? 'most' : 'few');
    expect(verdict.cause).toBe(cause);
  });

  test('the single worker of a scope is most of it', async () => {
    const { verdict } = await diagnoseWith('LLMHighTTFT', {
      ...SLOW,
      kv_cache_utilization: [0.97],
      queue_depth: [90],
      preemption_rate: [2],
      gpu_utilization: [0.9],
      requests_running: [60],
      batch_size_max: [128],
      generation_tokens_rate: [500],
      worker_restarts: [0],
      worker_up: [1],
      gpu_memory_ratio: [0.9],
      kv_blocks_free: [3],
    });

    expect(verdict).toMatchObject({ cause: 'kv_cache_exhausted', short: 'KV full 97% on 1 of 1' });
  });
});

describe('what is not seen', () => {
  test.each([...EMPTY_REASONS, ...FAILURE_REASONS, 'stale', 'not_in_time', 'check_failed'] as const)(
    'the lock screen names the reason uncut: %s',
    async (reason) => {
      const { findings } = await diagnoseWith('LLMHighTTFT', {});
      const blind = findings.map((finding): Finding => ({ ...finding, status: 'unknown', reason }));

      const { short } = decideVerdict(entryFor('LLMHighTTFT'), blind, { scope: SCOPE });

      expect(short).toMatch(/^Not diagnosed: [\w ]+$/);
      expect(short).not.toBe('Not diagnosed: no check could be made');
    },
  );

  test('an unseen KV cache never makes it the cause, and is said', async () => {
    const { verdict } = await diagnoseWith('LLMPreemptionStorm', {
      ...EXHAUSTED,
      kv_cache_utilization: undefined,
    });

    expect(verdict.cause).not.toBe('kv_cache_exhausted');
    expect(verdict.unseen.join()).toContain('no series for kv_cache_utilization');
  });

  test('one unknown check lowers high to medium', async () => {
    const { verdict } = await diagnoseWith('LLMHighErrorRate', {
      error_ratio: 0.08,
      error_rate_by_type: { byLabel: { input: 4 } },
      worker_restarts: undefined,
    });

    expect(verdict).toMatchObject({
      cause: 'bad_input',
      confidence: 'medium',
      why: '3 checks for, 0 against, 1 not seen (restarts)',
    });
  });

  test('a full cache alone is good utilization and no cause', async () => {
    const { verdict } = await diagnoseWith('LLMKVCachePressure', {
      kv_cache_utilization: 0.97,
      queue_depth: 0,
    });

    expect(verdict.cause).toBeNull();
    expect(verdict.says).toContain('good utilization');
  });

  test('NaN of every worker is unknown and never OK', async () => {
    const { findings } = await diagnoseWith('LLMHighTTFT', { kv_cache_utilization: Number.NaN });

    expect(findings[0]).toMatchObject({ stepId: 'kv_cache', status: 'unknown', reason: 'not_a_number' });
  });

  test('seven good workers and one unseen are not OK, but enough to say that most are not full', async () => {
    const { findings, verdict } = await diagnoseWith('LLMHighTTFT', {
      ...SLOW,
      kv_cache_utilization: oneOf(Number.NaN, 0.5),
      gpu_utilization: 0.97,
      queue_depth: 90,
    });

    expect(findings[0]).toMatchObject({
      status: 'unknown',
      says: expect.stringContaining('1 of 8 workers not seen (worker-0)'),
    });
    // That worker may hold blocks that it does not give back.
    expect(verdict).toMatchObject({ cause: 'capacity_short', confidence: 'medium' });
  });

  test('a worker that other signals show and this one lacks is missing from it', async () => {
    const { findings } = await diagnoseWith('LLMHighTTFT', {
      kv_cache_utilization: Array<number>(7).fill(0.5),
    });

    expect(findings[0]).toMatchObject({
      status: 'unknown',
      workerCount: 8,
      says: expect.stringContaining('worker-7'),
    });
  });

  test('a failing step says which workers it could not see', async () => {
    const { findings } = await diagnoseWith('LLMHighTTFT', { kv_cache_utilization: oneOf(Number.NaN, 0.97) });

    expect(findings[0]).toMatchObject({
      status: 'fail',
      spread: 'most',
      says: '97% on 7 of 8 workers, limit 90%; 1 of 8 workers not seen (worker-0)',
    });
  });

  test.each([
    [
      'renamed',
      {
        kind: 'empty',
        reason: 'renamed',
        detail: 'vllm:gpu_cache_usage_perc was renamed vllm:kv_cache_usage_perc',
      },
    ],
    [
      'label_missing',
      { kind: 'empty', reason: 'label_missing', detail: 'the alert has no label "namespace"' },
    ],
    ['stale', { kind: 'stale', ageMs: 400_000, detail: 'last seen 6 min ago' }],
    ['timeout', { kind: 'failed', reason: 'timeout', detail: 'Prometheus did not answer in 3 s' }],
    ['no_series', { kind: 'empty', reason: 'no_series', detail: 'nothing scraped' }],
  ] as const)('%s keeps its own sentence', async (reason, reading) => {
    const { findings } = await diagnoseWith('LLMHighTTFT', {
      kv_cache_utilization: { ...reading, engine: 'vllm', query: 'q' },
    });

    expect(findings[0]).toMatchObject({ status: 'unknown', reason, says: reading.detail });
  });

  test('an engine without the signal is skipped, not unknown', async () => {
    const { findings } = await diagnoseWith('LLMPreemptionStorm', {
      kv_fragmentation_ratio: {
        kind: 'empty',
        reason: 'unavailable',
        detail: 'vllm reports no fragmentation',
        engine: 'vllm',
        query: null,
      },
    });

    expect(findings.find((one) => one.stepId === 'fragmentation')).toMatchObject({ status: 'skipped' });
  });

  test('workers that answer are counted, not measured', async () => {
    const { findings } = await diagnoseWith('LLMHighErrorRate', { worker_up: oneOf(0, 1) });

    expect(findings.find((one) => one.stepId === 'workers_up')).toMatchObject({
      status: 'fail',
      value: '7 of 8 workers',
      says: '7 of 8 workers',
      limit: null,
    });
  });

  test('a worker that is known to be down is not expected in the other readings', async () => {
    const seven = Array<number>(8).fill(0.5).slice(0, 7);
    const { findings } = await diagnoseWith('LLMHighErrorRate', {
      kv_cache_utilization: seven,
      worker_up: [1, 1, 1, 1, 1, 1, 1, 0],
    });

    expect(findings[0]).toMatchObject({ status: 'ok', workerCount: 7 });
  });

  test('the NCCL step is unknown and says where to look', async () => {
    const { findings } = await diagnoseWith('LLMHighErrorRate', {});

    expect(findings.find((one) => one.stepId === 'nccl')).toMatchObject({
      status: 'unknown',
      reason: 'by_hand',
      says: expect.stringContaining('Xid'),
    });
  });
});

describe('no cause', () => {
  test('all checks fine is "cause unclear", and says what is fine and what to look at', async () => {
    const { verdict } = await diagnoseWith('LLMHighTTFT', {});

    expect(verdict).toMatchObject({
      cause: null,
      confidence: 'none',
      short: 'Cause unclear: KV, queue, balance all OK',
    });
    expect(verdict.says).toContain('network between router and workers');
  });

  test('nothing seen at all is "not diagnosed", with the reason and each thing named', async () => {
    const entry = entryFor('LLMHighTTFT');
    const down = {
      kind: 'failed',
      reason: 'unreachable',
      detail: 'connect ECONNREFUSED',
      engine: null,
      query: null,
    } as const;
    const findings = await runSteps({
      entry,
      scope: SCOPE,
      source: createScriptedSource({}, { fallback: down }),
      thresholds: DEFAULT_THRESHOLDS,
      atMs: NOW,
      timeScale: 1,
      deadlineMs: 4000,
      clock: createManualClock({ nowMs: NOW }),
    });
    const verdict = decideVerdict(entry, findings);

    expect(verdict).toMatchObject({
      cause: null,
      confidence: 'none',
      short: 'Not diagnosed: Prometheus unreachable',
      ruledOut: [],
    });
    expect(verdict.unseen).toHaveLength(entry.steps.length);
  });
});
