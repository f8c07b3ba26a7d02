import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { SIGNALS } from '../../src/catalog/signals.js';
import { DEFAULT_THRESHOLDS } from '../../src/catalog/thresholds.js';
import { diagnose } from '../../src/diagnosis/diagnose.js';
import { freezeSignals, operatorQueries } from '../../src/diagnosis/freeze.js';
import { createRecordedSource } from '../../src/diagnosis/recorded-source.js';
import { decodeRecording, encodeRecording, type Recording } from '../../src/diagnosis/recording.js';
import { runSteps } from '../../src/diagnosis/run-steps.js';
import type { MetricsSource } from '../../src/domain/metrics-source.js';
import type { PlaybookStep } from '../../src/playbook/schema.js';
import { createManualClock } from '../support/manual-clock.js';
import { BUILT_IN, entryFor } from '../support/playbooks.js';
import { createScriptedSource, type Script } from '../support/scripted-source.js';

const NOW = Date.UTC(2026, 8, 1, 3, 12);
const SCOPE = { cluster: 'prod-us', namespace: 'serving', model: 'llama-70b' };

const EVIDENCE: Readonly<Record<string, Readonly<Record<string, Script>>>> = {
  exhausted: {
    kv_cache_utilization: [0.97, 0.97, 0.96, 0.97, 0.95, 0.96, 0.97, 0.6],
    queue_depth: 30,
    gpu_utilization: 0.93,
    ttft_p99_seconds: 11.8,
    ttft_p50_seconds: 4,
  },
  'half blind': {
    kv_cache_utilization: [Number.NaN, 0.5, 0.5],
    queue_depth: [90, 1, 2],
    gpu_utilization: new Error('down'),
  },
  starved: { kv_cache_utilization: 0.3, queue_depth: 80, gpu_utilization: 0.1, generation_tokens_rate: 50 },
  nothing: {},
};

async function frozen(source: MetricsSource): Promise<Recording> {
  const recording = await freezeSignals({ scope: SCOPE, source, atMs: NOW, timeScale: 1 });
  const decoded = decodeRecording(encodeRecording(recording));
  if (decoded.kind !== 'ok') throw new Error(decoded.reason);
  return decoded.recording;
}

function diagnoseWith(source: MetricsSource) {
  return diagnose({
    entries: BUILT_IN.entries,
    labels: {},
    alertName: 'LLMHighTTFT',
    alertExpression: null,
    scope: SCOPE,
    source,
    thresholds: DEFAULT_THRESHOLDS,
    atMs: NOW,
    clock: createManualClock({ nowMs: NOW }),
  });
}

describe('a replay', () => {
  test.each(Object.keys(EVIDENCE))('of %s gives the verdict and findings of the day', async (name) => {
    const source = createScriptedSource(EVIDENCE[name] ?? {}, { rising: ['queue_depth'] });

    const live = await diagnoseWith(source);
    const replayed = await diagnoseWith(createRecordedSource(await frozen(source)));

    expect(replayed.verdict).toEqual(live.verdict);
    expect(replayed.findings.map(({ tookMs: _took, ...rest }) => rest)).toEqual(
      live.findings.map(({ tookMs: _took, ...rest }) => rest),
    );
  });
});

test('an operator’s own query is replayed when it was frozen', async () => {
  const own: PlaybookStep = {
    id: 'own',
    title: 'Own',
    short: 'own',
    read: { kind: 'query', query: 'sum(x{model="{scope.model}"})', unit: 'requests' },
    with: [],
    fail: {
      test: {
        kind: 'scope',
        comparison: { text: '> 5', left: null, comparator: '>', right: { factor: 5, reference: null } },
      },
      while: [],
      and: [],
      or: [],
    },
    appliesWhen: null,
  };
  const entry = { ...entryFor('LLMHighTTFT'), steps: [own], causes: [] };
  const reading = {
    kind: 'value',
    engine: null,
    query: 'q',
    samples: [{ worker: null, labels: {}, value: 7 }],
  } as const;
  const source = createScriptedSource({}, { query: reading });

  const recording = await freezeSignals({
    scope: SCOPE,
    source,
    atMs: NOW,
    timeScale: 1,
    expressions: operatorQueries(entry, SCOPE),
  });
  const [finding] = await runSteps({
    entry,
    scope: SCOPE,
    source: createRecordedSource(recording),
    thresholds: DEFAULT_THRESHOLDS,
    atMs: NOW,
    timeScale: 1,
    deadlineMs: 4000,
    clock: createManualClock({ nowMs: NOW }),
  });

  expect(Object.keys(recording.queries)).toEqual(['sum(x{model="llama-70b"})']);
  expect(finding).toMatchObject({ status: 'fail', says: '7 requests, limit 5 requests' });
  expect(operatorQueries(entry, {})).toEqual([]);
});

describe('a recording', () => {
  test('holds every catalog signal, the aggregate and the five worst workers of the span', async () => {
    const recording = await frozen(
      createScriptedSource({ kv_cache_utilization: [0.1, 0.9, 0.3, 0.8, 0.5, 0.6, 0.7, 0.2] }),
    );

    expect(Object.keys(recording.signals).sort()).toEqual(SIGNALS.map((signal) => signal.name).sort());
    const kv = recording.signals.kv_cache_utilization;
    expect(kv?.instant.kind === 'value' && kv.instant.samples).toHaveLength(8);
    expect(kv?.range.kind === 'series' && kv.range.series.map((one) => one.worker)).toEqual([
      null,
      'worker-1',
      'worker-3',
      'worker-6',
      'worker-5',
      'worker-4',
    ]);
  });

  test('keeps the workers with the least where little is bad', async () => {
    const recording = await frozen(
      createScriptedSource({ gpu_utilization: [0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6, 0.4] }),
    );

    const gpu = recording.signals.gpu_utilization;
    expect(gpu?.range.kind === 'series' && gpu.range.series.map((one) => one.worker)).toEqual([
      null,
      'worker-1',
      'worker-3',
      'worker-5',
      'worker-7',
      'worker-6',
    ]);
  });

  test('keeps a gap as a gap', async () => {
    const recording = await frozen(createScriptedSource({ kv_cache_utilization: [Number.NaN, 0.5] }));

    const kv = recording.signals.kv_cache_utilization;
    expect(kv?.instant).toMatchObject({ kind: 'value', samples: [{ value: Number.NaN }, { value: 0.5 }] });
  });

  test('records what the source did not give, with its reason', async () => {
    const recording = await frozen(createScriptedSource({}, { fallback: new Error('connection refused') }));

    expect(recording.signals.kv_cache_utilization?.instant).toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('connection refused'),
    });
  });

  test('ends with its signal although the source hangs', async () => {
    const stop = new AbortController();
    const run = freezeSignals({
      scope: SCOPE,
      source: createScriptedSource({}, { fallback: 'hang' }),
      atMs: NOW,
      timeScale: 1,
      signal: stop.signal,
    });
    stop.abort();

    expect((await run).signals.queue_depth?.instant).toMatchObject({ kind: 'failed', reason: 'timeout' });
  });

  test('refuses questions about another time or another scope instead of answering with what it has', async () => {
    const source = createRecordedSource(await frozen(createScriptedSource({ queue_depth: 5 })));

    const anotherHour = await source.readSignal('queue_depth', SCOPE, { atMs: NOW - 3_600_000 });
    const anotherPlace = await source.readSignal(
      'queue_depth',
      { ...SCOPE, cluster: 'prod-eu' },
      { atMs: NOW },
    );

    expect(anotherHour).toMatchObject({ kind: 'empty', detail: expect.stringContaining('2026-09-01') });
    expect(anotherPlace).toMatchObject({ kind: 'empty', detail: expect.stringContaining('another scope') });
  });

  test.each([
    ['no gzip', new Uint8Array([1, 2, 3])],
    ['gzip of no JSON', gzipSync('{')],
    ['a newer format', gzipSync('{"formatVersion": 3}')],
    ['another shape', gzipSync('{"formatVersion": 1}')],
    ['a bomb', gzipSync(Buffer.alloc(80 * 1024 * 1024))],
  ])('that is %s is unreadable with a reason', (_name, body) => {
    expect(decodeRecording(body)).toMatchObject({
      kind: 'unreadable',
      reason: expect.stringMatching(/.{10,}/),
    });
  });
});
