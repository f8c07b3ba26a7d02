import { describe, expect, test } from 'vitest';
import { conditionsOf } from '../../src/catalog/alert-definition.js';
import { ALERTS } from '../../src/catalog/alerts.js';
import { FIXED_ALERTS } from '../../src/catalog/fixed-alerts.js';
import { formatValue } from '../../src/catalog/format-value.js';
import { HISTOGRAM_BUCKETS, METRICS } from '../../src/catalog/metrics.js';
import { findSignal, SIGNALS } from '../../src/catalog/signals.js';
import {
  DEFAULT_THRESHOLDS,
  overrideThresholds,
  THRESHOLD_DEFINITIONS,
  threshold,
} from '../../src/catalog/thresholds.js';

const EIGHT = [
  'LLMElevatedTTFT',
  'LLMGPUMemoryCritical',
  'LLMHighErrorRate',
  'LLMHighTBT',
  'LLMHighTTFT',
  'LLMKVCachePressure',
  'LLMPreemptionStorm',
  'LLMQueueBuildup',
];

describe('thresholds', () => {
  test('each has an argument of its own', () => {
    const whys = Object.values(THRESHOLD_DEFINITIONS).map(({ why }) => why);

    expect(whys.filter((why) => why.length < 30)).toEqual([]);
    expect(new Set(whys).size).toBe(whys.length);
  });

  test.each([
    ['ttft_p99_seconds', 2, 5],
    ['ttft_p50_seconds', 0.5, 1],
    ['tbt_p99_seconds', 0.08, 0.15],
    ['tbt_p50_seconds', 0.03, 0.05],
    ['error_ratio', 0.01, 0.05],
    ['gpu_memory_ratio', 0.9, 0.95],
    ['kv_cache_utilization', 0.85, 0.95],
    ['queue_depth', 50, 200],
    ['preemption_rate', 0.1, 1],
  ])('%s warns at %d and is critical at %d', (signal, warning, critical) => {
    expect(threshold(DEFAULT_THRESHOLDS, `${signal}.warning`)).toBe(warning);
    expect(threshold(DEFAULT_THRESHOLDS, `${signal}.critical`)).toBe(critical);
  });

  test('an operator’s figures take their place, the others stay', () => {
    const changed = overrideThresholds({ 'queue_depth.critical': 500 });
    if (changed.kind !== 'ok') throw new Error(changed.faults.join());

    expect(threshold(changed.thresholds, 'queue_depth.critical')).toBe(500);
    expect(threshold(changed.thresholds, 'queue_depth.warning')).toBe(50);
    expect(threshold(DEFAULT_THRESHOLDS, 'queue_depth.critical')).toBe(200);
  });

  test('all wrong names and values of an override are told at once', () => {
    expect(
      overrideThresholds({ 'queue.critical': 1, 'queue_depth.warning': Number.NaN, toString: 1 }),
    ).toEqual({
      kind: 'faulty',
      faults: [
        'thresholds.queue.critical: no threshold is called "queue.critical"',
        'thresholds.queue_depth.warning: found NaN, expected a number',
        'thresholds.toString: no threshold is called "toString"',
      ],
    });
  });

  test('an unknown name is a bug', () => {
    expect(() => threshold(DEFAULT_THRESHOLDS, 'queue_depth.bad')).toThrow(/no threshold is called/);
    expect(() => threshold(DEFAULT_THRESHOLDS, 'constructor')).toThrow(/no threshold is called/);
  });

  test('those of a signal belong to a signal', () => {
    const owners = Object.keys(DEFAULT_THRESHOLDS).map((name) => name.split('.')[0] ?? '');
    expect(owners.filter((owner) => findSignal(owner) === undefined && owner !== 'prompt_tokens')).toEqual(
      [],
    );
  });
});

describe('metrics', () => {
  test('are twelve of the common vocabulary and what the diagnosis needs beyond', () => {
    expect(METRICS.length).toBe(24);
    expect(new Set(METRICS.map((metric) => metric.name)).size).toBe(24);
    expect(METRICS.filter((metric) => metric.level === 'user').length).toBe(6);
  });

  test('name thresholds that exist', () => {
    const names = METRICS.flatMap((metric) => metric.thresholds);
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !Object.hasOwn(DEFAULT_THRESHOLDS, name))).toEqual([]);
  });

  test('have counters that end in _total, as every exporter library makes them', () => {
    for (const { name, type } of METRICS) if (type === 'counter') expect(name).toMatch(/_total$/);
  });

  test('have buckets that rise, and every latency alert below the last one', () => {
    for (const edges of Object.values(HISTOGRAM_BUCKETS)) {
      expect([...edges].sort((a, b) => a - b)).toEqual([...edges]);
    }
    expect(HISTOGRAM_BUCKETS.ttft).toContain(DEFAULT_THRESHOLDS['ttft_p99_seconds.critical']);
    expect(HISTOGRAM_BUCKETS.ttft).toContain(DEFAULT_THRESHOLDS['ttft_p99_seconds.warning']);
    expect(HISTOGRAM_BUCKETS.tbt).toContain(DEFAULT_THRESHOLDS['tbt_p99_seconds.critical']);
    expect(HISTOGRAM_BUCKETS.promptTokens).toContain(DEFAULT_THRESHOLDS['prompt_tokens.long']);
  });
});

describe('alerts', () => {
  test('have the eight fixed names; the KV cache warns and pages', () => {
    expect([...new Set(FIXED_ALERTS.map((alert) => alert.name))].sort()).toEqual(EIGHT);
    const kv = ALERTS.filter((alert) => alert.name === 'LLMKVCachePressure');
    expect(kv.map((alert) => alert.severity)).toEqual(['warning', 'critical']);
  });

  test('judge signals that exist by thresholds that exist', () => {
    for (const side of ALERTS.flatMap(conditionsOf)) {
      expect(findSignal(side.signal), side.signal).toBeDefined();
      expect(threshold(DEFAULT_THRESHOLDS, side.threshold)).toBeTypeOf('number');
      if (side.rise?.from !== undefined) threshold(DEFAULT_THRESHOLDS, side.rise.from);
      // One value a scope is taken as it is; in a mixed fleet rates and counts add up.
      const isOfScope = findSignal(side.signal)?.level === 'scope' && side.where === undefined;
      if (side.aggregate === 'scope') expect(isOfScope, side.signal).toBe(true);
      else if (isOfScope) expect(side.aggregate, side.signal).toBe('sum');
    }
  });
});

describe('signals', () => {
  test('have one name each, and healthy ranges below what warns', () => {
    expect(new Set(SIGNALS.map((signal) => signal.name)).size).toBe(SIGNALS.length);
    for (const { name, healthy } of SIGNALS) {
      const warning = DEFAULT_THRESHOLDS[`${name}.warning`];
      if (healthy !== undefined && warning !== undefined) expect(healthy[1]).toBeLessThanOrEqual(warning);
    }
    expect(findSignal('constructor')).toBeUndefined();
  });
});

describe('a value as it is read at night', () => {
  test.each([
    [0.97, 'ratio', '97%'],
    [0.004, 'ratio', '0.4%'],
    [11.84, 'seconds', '11.8 s'],
    [0.0213, 'seconds', '21 ms'],
    [0, 'seconds', '0 s'],
    [1, 'requests', '1 request'],
    [41, 'requests', '41 requests'],
    [28_123, 'tokens', '28.1k tokens'],
    [1234, 'tokens_per_second', '1234 tokens/s'],
    [0.25, 'per_second', '0.25/s'],
    [12.34, 'per_second', '12.3/s'],
    [81_604_378_624, 'bytes', '76.0 GiB'],
    [3, 'count', '3'],
    [0, 'blocks', '0 blocks'],
    [1, 'bool', 'yes'],
    [Number.NaN, 'seconds', 'not a number'],
    [Number.POSITIVE_INFINITY, 'seconds', 'above every bucket'],
  ] as const)('%d %s is %s', (value, unit, text) => {
    expect(formatValue(value, unit)).toBe(text);
  });
});
