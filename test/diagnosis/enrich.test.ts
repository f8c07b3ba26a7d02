import { describe, expect, test } from 'vitest';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { type EnrichOptions, enrich } from '../../src/diagnosis/enrich.js';
import { stripComparison } from '../../src/diagnosis/strip-comparison.js';
import type { MetricsSource, ReadOptions } from '../../src/domain/metrics-source.js';
import { createScriptedSource } from '../support/scripted-source.js';

const NOW = Date.UTC(2026, 8, 1, 3, 12);
const HOUR = 3_600_000;

function optionsFor(source: MetricsSource, changes: Partial<EnrichOptions> = {}): EnrichOptions {
  return {
    alertExpression: null,
    alertName: 'LLMHighTTFT',
    scope: { model: 'llama-70b' },
    source,
    thresholds: DEFAULT_THRESHOLDS,
    atMs: NOW,
    timeScale: 1,
    ...changes,
  };
}

describe('the quantity that an alert compares', () => {
  test.each([
    ['up == 0', 'up', 'max'],
    ['a / (b > 0) > 0.05', 'a / (b > 0)', 'max'],
    ['rate(x[5m]) < 1', 'rate(x[5m])', 'min'],
    ['5 < x', 'x', 'max'],
    ['(max(kv) > 0.95) and on () (sum(rate(p[5m])) > 0)', 'max(kv)', 'max'],
    ['a > bool 3', 'a', 'max'],
    ['a > 1 unless b', 'a', 'max'],
    ['sum(a) by (b)', 'sum(a) by (b)', 'max'],
    ['x{job="a > 1"} >= 3', 'x{job="a > 1"}', 'max'],
    ['not ( promql', 'not ( promql', 'max'],
    ['', '', 'max'],
  ])('of %j is %j', (expression, quantity, worst) => {
    expect(stripComparison(expression)).toEqual({ expression: quantity, worst });
  });
});

describe('enrichment', () => {
  test('asks the expression without its comparison now, an hour ago and yesterday', async () => {
    const asked: [string, number][] = [];
    const base = createScriptedSource({}, { fallback: 0.5 });
    const source: MetricsSource = {
      ...base,
      kind: 'prometheus',
      query: async (expression: string, { atMs }: ReadOptions) => {
        asked.push([expression, (NOW - atMs) / HOUR]);
        return {
          kind: 'value',
          engine: null,
          query: expression,
          samples: [1, 2].map((value) => ({ worker: null, labels: {}, value: value + (NOW - atMs) / HOUR })),
        };
      },
    };

    const result = await enrich(optionsFor(source, { alertExpression: 'ttft > 5' }));

    expect(asked).toEqual([
      ['ttft', 0],
      ['ttft', 1],
      ['ttft', 24],
    ]);
    expect(result).toMatchObject({ expression: 'ttft > 5', valueNow: 2, valueHourAgo: 3, valueDayAgo: 26 });
  });

  test('an alert of ours without an expression is read by its signal', async () => {
    const result = await enrich(optionsFor(createScriptedSource({ ttft_p99_seconds: 11.8 })));

    expect(result).toMatchObject({ expression: null, valueNow: 11.8 });
  });

  test('rates the five figures by the thresholds, and never calls what is not seen healthy', async () => {
    const { health } = await enrich(
      optionsFor(
        createScriptedSource({
          gpu_utilization: 0.05,
          gpu_memory_ratio: 0.5,
          kv_cache_utilization: [0.9, 0.2],
          ttft_p99_seconds: 6,
          queue_depth: 3,
        }),
      ),
    );

    expect(health.map(({ name, status }) => [name, status])).toEqual([
      ['gpu', 'warning'],
      ['kv_cache', 'warning'],
      ['latency', 'critical'],
      ['errors', 'unknown'],
      ['queue', 'healthy'],
    ]);
  });

  test('a GPU figure without memory is not healthy', async () => {
    const { health } = await enrich(optionsFor(createScriptedSource({ gpu_utilization: 0.7 })));

    expect(health[0]).toMatchObject({
      status: 'unknown',
      detail: expect.stringContaining('memory not seen'),
    });
  });

  test('counts workers, restarts and replica changes', async () => {
    const base = createScriptedSource({
      kv_cache_utilization: [0.97, 0.2, 0.3],
      queue_depth: [1, 80, 2],
      worker_restarts: [0, 2, 0],
    });
    const source: MetricsSource = {
      ...base,
      readRange: async () => ({
        kind: 'series',
        engine: 'llm',
        query: null,
        series: [
          { worker: null, labels: {}, points: [8, 8, 7, 8].map((value, index) => [index, value] as const) },
        ],
      }),
    };

    const result = await enrich(optionsFor(source));

    expect(result).toMatchObject({
      workersAffected: ['worker-0', 'worker-1'],
      workersTotal: 3,
      restartsLastHour: 2,
      replicaChangesLastHour: 2,
    });
  });

  test('what could not be had is null and said', async () => {
    const result = await enrich(
      optionsFor(createScriptedSource({}, { fallback: new Error('down') }), { alertName: 'Other' }),
    );

    expect(result).toMatchObject({
      valueNow: null,
      restartsLastHour: null,
      replicaChangesLastHour: null,
      workersTotal: null,
    });
    expect(result.unseen).toHaveLength(5);
  });
});
