import { describe, expect, onTestFinished, test } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { healthLines } from '../../src/cli/health.js';
import type { MetricsSource } from '../../src/domain/metrics-source.js';
import type { FindScopes } from '../../src/domain/serving-health.js';
import { evaluateHealth } from '../../src/health/evaluate-health.js';
import { createHealthWatch } from '../../src/health/watch-health.js';
import { createLogger } from '../../src/log/logger.js';
import { createManualClock } from '../support/manual-clock.js';
import { createScriptedSource, type Script } from '../support/scripted-source.js';
import { openTestDatabase, TEST_NOW_MS } from '../support/test-database.js';

const SCOPE = { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' };
const HEALTHY: Readonly<Record<string, Script>> = {
  gpu_utilization: 0.7,
  gpu_memory_ratio: 0.88,
  kv_cache_utilization: 0.6,
  ttft_p99_seconds: 1.1,
  error_ratio: 0.0004,
  queue_depth: 3,
};
const here: FindScopes = async () => ({ kind: 'scopes', scopes: [{ scope: SCOPE, engines: ['vllm'] }] });

function depsOf(source: MetricsSource, findScopes: FindScopes = here) {
  return {
    source,
    findScopes,
    thresholds: DEFAULT_THRESHOLDS,
    clock: createManualClock({ nowMs: TEST_NOW_MS }),
  };
}

const evaluate = (table: Readonly<Record<string, Script>>, findScopes?: FindScopes) =>
  evaluateHealth(depsOf(createScriptedSource(table, { workers: 2 }), findScopes));

describe('serving health', () => {
  test('is healthy when all five checks are', async () => {
    const { overall, reports } = await evaluate(HEALTHY);

    expect(overall).toBe('healthy');
    expect(reports[0]?.checks.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'gpu healthy',
      'kv_cache healthy',
      'latency healthy',
      'errors healthy',
      'queue healthy',
    ]);
  });

  test.each([
    [
      'kv_cache_utilization',
      [0.5, 0.9],
      'kv_cache',
      'warning',
      ['worker-1, KV cache blocks in use: 90%, above 85%'],
    ],
    [
      'kv_cache_utilization',
      [0.99, 0.96],
      'kv_cache',
      'critical',
      [
        'worker-0, KV cache blocks in use: 99%, above 85%',
        'worker-1, KV cache blocks in use: 96%, above 85%',
      ],
    ],
    [
      'queue_depth',
      [260, 2],
      'queue',
      'critical',
      ['worker-0, requests waiting to be scheduled: 260 requests, above 50 requests'],
    ],
    ['ttft_p99_seconds', 3.2, 'latency', 'warning', []],
    ['error_ratio', 0.07, 'errors', 'critical', []],
    [
      'gpu_utilization',
      [0.04, 0.7],
      'gpu',
      'warning',
      ['worker-0, share of time any kernel ran: 4%, below 10%'],
    ],
    [
      'gpu_utilization',
      [0.995, 0.7],
      'gpu',
      'warning',
      ['worker-0, share of time any kernel ran: 99%, above 99%'],
    ],
  ] as const)('%s of %j makes %s %s, worker by worker', async (signal, value, name, status, issues) => {
    const { overall, reports } = await evaluate({ ...HEALTHY, [signal]: value as Script });
    const check = reports[0]?.checks.find((one) => one.name === name);

    expect(overall).toBe(status);
    expect(check).toMatchObject({ status });
    if (signal !== 'gpu_utilization' || value[0] !== 0.995) expect(check?.issues).toEqual(issues);
  });

  test('an unseen check is unknown and never healthy, whatever the others say', async () => {
    const { gpu_utilization: _gpu, gpu_memory_ratio: _memory, ...rest } = HEALTHY;
    const { overall, reports } = await evaluate(rest);

    expect(reports[0]?.checks[0]).toMatchObject({ name: 'gpu', status: 'unknown', value: null });
    expect(overall).toBe('healthy');
    const text = healthLines(await evaluate(rest)).join('\n');
    expect(text).toContain('? UNKNOWN   gpu       no series for gpu_utilization');
  });

  test('nothing at all is unknown, with its reason', async () => {
    const nothing = await evaluate({});
    expect(nothing.overall).toBe('unknown');
    expect(nothing.reports[0]?.checks.every(({ status }) => status === 'unknown')).toBe(true);

    const nobody = await evaluate(HEALTHY, async () => ({ kind: 'scopes', scopes: [] }));
    expect(nobody).toMatchObject({
      overall: 'unknown',
      blind: 'no engine reports anything: is one scraped?',
    });

    const down = await evaluate(HEALTHY, async () => ({
      kind: 'failed',
      reason: 'unreachable',
      detail: 'connection refused',
    }));
    expect(down).toMatchObject({ overall: 'unknown', blind: 'no model is seen: connection refused' });
  });
});

describe('what is kept of it', () => {
  function watchOf(table: Record<string, Script>) {
    const clock = createManualClock({ nowMs: TEST_NOW_MS });
    const db = openTestDatabase(clock);
    const watch = createHealthWatch({
      db,
      source: createScriptedSource(table, { workers: 2 }),
      findScopes: here,
      thresholds: DEFAULT_THRESHOLDS,
      clock,
      logger: createLogger({ level: 'silent' }),
    });
    onTestFinished(() => {});
    return { clock, watch };
  }

  test('is each change, once, with what is wrong', async () => {
    const table: Record<string, Script> = { ...HEALTHY };
    const { clock, watch } = watchOf(table);

    expect(await watch.keep()).toEqual({ overall: 'healthy', scopes: 1, changed: 1 });
    await clock.advance(60_000);
    expect(await watch.keep()).toEqual({ overall: 'healthy', scopes: 1, changed: 0 });
    table.kv_cache_utilization = 0.97;
    await clock.advance(60_000);
    expect(await watch.keep()).toEqual({ overall: 'critical', scopes: 1, changed: 1 });

    const transitions = await watch.transitions();
    expect(transitions.map(({ from, to }) => `${from} ${to}`)).toEqual(['healthy critical', 'null healthy']);
    expect(transitions[0]?.says).toBe('kv_cache critical: 97% of KV cache on the worst worker');
    expect(transitions[0]?.scope).toEqual(SCOPE);
  });

  test('who asks together is answered by one evaluation', async () => {
    const { clock, watch } = watchOf({ ...HEALTHY });

    const [a, b] = await Promise.all([watch.now(), watch.now()]);
    expect(a).toBe(b);
    await clock.advance(6_000);
    expect(await watch.now()).not.toBe(a);
  });
});
