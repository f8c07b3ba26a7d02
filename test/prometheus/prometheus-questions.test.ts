/** How often, when and for whom the source asks: against a fake that counts. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtInEnginesDirectory, loadEngineFiles, readEngineFile } from '../../src/catalog/engine-file.js';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import { createPrometheusClient } from '../../src/prometheus/prometheus-client.js';
import {
  createPrometheusSource,
  type PrometheusSourceOptions,
} from '../../src/prometheus/prometheus-source.js';
import {
  type FakePrometheus,
  type FakeQuestion,
  startFakePrometheus,
  vectorOf,
} from '../support/fake-prometheus.js';
import { createManualClock, type ManualClock } from '../support/manual-clock.js';

const SCOPE = { cluster: 'prod', namespace: 'serving', model: 'm' };
const NOW = 1_700_000_000_000;
const engines = loadEngineFiles(builtInEnginesDirectory());

let server: FakePrometheus;
let clock: ManualClock;
let sources: { close(): Promise<void> }[];

beforeEach(async () => {
  clock = createManualClock({ nowMs: NOW });
  server = await startFakePrometheus(vllmFleet);
  sources = [];
});

afterEach(async () => {
  for (const source of sources) await source.close();
  await server.close();
});

function isProbe({ form }: FakeQuestion): boolean {
  return form.query?.startsWith('label_replace(count(') === true;
}

function vllmFleet(question: FakeQuestion) {
  if (isProbe(question)) return vectorOf([[{ engine: 'vllm' }, '2']]);
  return vectorOf([[{ pod: 'a', engine: '0' }, '0.5']]);
}

function connect(options: Partial<PrometheusSourceOptions> = {}) {
  const client = createPrometheusClient({ baseUrl: server.url, clock });
  const source = createPrometheusSource({ client, engines, clock, ...options });
  sources.push(source);
  return source;
}

const at = () => ({ atMs: clock.now() });
const queries = () => server.questions().map(({ form }) => form.query ?? '');

describe('what is asked', () => {
  test('a value costs one probe and one question, and the next signal only its own', async () => {
    const source = connect();
    await source.readSignal('kv_cache_utilization', SCOPE, at());
    await source.readSignal('queue_depth', SCOPE, at());

    expect(server.questions().map(isProbe)).toEqual([true, false, false]);
  });

  test('the probe is repeated after a minute, and for another scope at once', async () => {
    const source = connect();
    const probes = () => server.questions().filter(isProbe).length;
    await source.readSignal('kv_cache_utilization', SCOPE, at());
    await clock.advance(50 * SECOND);
    await source.readSignal('kv_cache_utilization', SCOPE, at());
    expect(probes()).toBe(1);

    await clock.advance(20 * SECOND);
    await source.readSignal('kv_cache_utilization', SCOPE, at());
    expect(probes()).toBe(2);
    await source.readSignal('kv_cache_utilization', { ...SCOPE, model: 'other' }, at());
    expect(probes()).toBe(3);
  });

  test('a probe of now does not speak for an hour ago', async () => {
    const source = connect();
    await source.readSignal('kv_cache_utilization', SCOPE, at());
    await source.readSignal('kv_cache_utilization', SCOPE, { atMs: clock.now() - 60 * MINUTE });

    expect(server.questions().filter(isProbe).length).toBe(2);
    expect(server.questions().at(-1)?.form.time).toBe('1699996400.000');
  });

  test('equal questions in flight and within a second are asked once', async () => {
    const source = connect();
    await Promise.all(Array.from({ length: 20 }, () => source.readSignal('queue_depth', SCOPE, at())));
    await source.readSignal('queue_depth', SCOPE, at());
    expect(server.questions().length).toBe(2);

    await clock.advance(2 * SECOND);
    await source.readSignal('queue_depth', SCOPE, at());
    expect(server.questions().length).toBe(3);
  });

  test('the reason of an empty answer costs at most three look-ups, whatever the signal', async () => {
    server.answer((question) => (isProbe(question) ? vectorOf([[{ engine: 'vllm' }, '1']]) : vectorOf([])));
    for (const signal of ['queue_depth', 'worker_up', 'kv_cache_utilization', 'tbt_p99_seconds']) {
      const before = server.questions().length;
      expect(await connect().readSignal(signal, SCOPE, at())).toMatchObject({ reason: 'no_series' });
      // The probe, vLLM's question, the canonical one that could fill a gap, and the look-ups.
      expect(server.questions().length - before).toBe(6);
    }
  });

  test('when the look-ups fail the answer still says that nothing was found', async () => {
    server.answer((question) => {
      if (isProbe(question)) return vectorOf([[{ engine: 'vllm' }, '1']]);
      return question.form.query?.startsWith('count by (__name__')
        ? { kind: 'text', status: 500, body: '' }
        : vectorOf([]);
    });
    expect(await connect().readSignal('queue_depth', SCOPE, at())).toMatchObject({
      reason: 'no_series',
      detail: expect.stringMatching(
        /^no series for vllm:num_requests_waiting; why could not be looked up: .*HTTP 500$/,
      ),
    });
  });

  test('every question is limited to the scope, whatever the signal', async () => {
    for (const answered of [true, false]) {
      server.answer((question) => (isProbe(question) || answered ? vllmFleet(question) : vectorOf([])));
      const source = connect();
      for (const { signals } of engines) {
        for (const signal of Object.keys(signals)) await source.readSignal(signal, SCOPE, at());
      }
    }
    // The census names metrics and groups by the scope's labels; it answers counts, never values.
    const wide = queries().filter(
      (query) => !/model(_name)?="m"/.test(query) && !/^count by \(__name__, /.test(query),
    );
    expect(queries().length).toBeGreaterThan(100);
    expect(wide).toEqual([]);
  });

  test('a label that only exists outside this Prometheus stays out of the question', async () => {
    const source = connect({ externalLabels: ['cluster'] });
    await source.readSignal('queue_depth', SCOPE, at());

    expect(queries().some((query) => query.includes('cluster="prod"'))).toBe(false);
    expect(queries()[1]).toContain('namespace="serving",model_name="m"');
    expect(await source.readSignal('queue_depth', { cluster: 'prod' }, at())).toMatchObject({
      reason: 'label_missing',
    });
  });
});

describe('windows', () => {
  const windowsAsked = () =>
    queries().flatMap((query) => [...query.matchAll(/\[(\w+)\]/g)].map((one) => one[1]));

  test.each([
    [1, undefined, 'generation_tokens_rate', '5m'],
    [1, undefined, 'error_ratio', '1m'],
    [20, 1000, 'generation_tokens_rate', '15s'],
    [20, 1000, 'error_ratio', '4s'],
    [1, 30_000, 'error_ratio', '2m'],
  ])('at scale %d and a scrape every %s ms %s looks back %s', async (timeScale, scrape, signal, window) => {
    const source = connect({ timeScale, ...(scrape === undefined ? {} : { scrapeIntervalMs: scrape }) });
    await source.readSignal(signal, SCOPE, at());

    expect(new Set(windowsAsked())).toEqual(new Set([window]));
  });

  test('a default window is taken as it is', async () => {
    const source = connect({ timeScale: 20, defaultWindowMs: 15 * SECOND });
    await source.readSignal('generation_tokens_rate', SCOPE, at());
    expect(windowsAsked()).toEqual(['15s']);
  });

  test('a caller’s own window is taken as it is', async () => {
    await connect().readSignal('generation_tokens_rate', SCOPE, { ...at(), windowMs: 90 * SECOND });
    expect(windowsAsked()).toEqual(['90s']);
  });
});

describe('failures', () => {
  test('of the probe are failures of the signal, and not remembered', async () => {
    server.answer(() => ({ kind: 'text', status: 500, body: '' }));
    const source = connect();
    expect(await source.readSignal('queue_depth', SCOPE, at())).toMatchObject({
      kind: 'failed',
      reason: 'http_error',
      engine: null,
    });

    server.answer(vllmFleet);
    await clock.advance(2 * SECOND);
    expect(await source.readSignal('queue_depth', SCOPE, at())).toMatchObject({ kind: 'value' });
  });

  test('of the question name engine and query', async () => {
    server.answer((question) =>
      isProbe(question) ? vllmFleet(question) : { kind: 'text', status: 503, body: 'Service Unavailable' },
    );
    expect(await connect().readSignal('queue_depth', SCOPE, at())).toMatchObject({
      kind: 'failed',
      reason: 'http_error',
      engine: 'vllm',
      query: expect.stringContaining('vllm:num_requests_waiting'),
    });
  });

  test('one caller who gives up does not take the answer from the others', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = await startFakePrometheus(vllmFleet);
    const client = createPrometheusClient({ baseUrl: slow.url, clock });
    const source = createPrometheusSource({
      client: {
        ...client,
        query: async (expression, options) => {
          await held;
          return client.query(expression, options);
        },
      },
      engines,
      clock,
    });
    const abort = new AbortController();
    const impatient = source.readSignal('queue_depth', SCOPE, { ...at(), signal: abort.signal });
    const patient = source.readSignal('queue_depth', SCOPE, at());
    abort.abort();

    expect(await impatient).toMatchObject({ kind: 'failed', reason: 'timeout' });
    release();
    expect(await patient).toMatchObject({ kind: 'value' });
    await source.close();
    await slow.close();
  });

  test('when nobody waits any longer the question itself is given up', async () => {
    server.answer((question) => (isProbe(question) ? vllmFleet(question) : { kind: 'hang' }));
    const source = connect();
    const abort = new AbortController();
    const answer = source.readSignal('queue_depth', SCOPE, { ...at(), signal: abort.signal });
    while (server.questions().length < 2) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();

    expect(await answer).toMatchObject({ kind: 'failed', reason: 'timeout' });
    while (server.openSockets() > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(server.openSockets()).toBe(0);
  });
});

describe('answers', () => {
  test('warnings come along with a value and with a reason', async () => {
    server.answer((question) =>
      isProbe(question)
        ? vllmFleet(question)
        : vectorOf([[{ pod: 'a' }, '1']], { warnings: ['store b is away'] }),
    );
    expect(await connect().readSignal('queue_depth', SCOPE, at())).toMatchObject({
      kind: 'value',
      warnings: ['store b is away'],
    });

    server.answer((question) =>
      isProbe(question) ? vllmFleet(question) : vectorOf([], { warnings: ['store b is away'] }),
    );
    await clock.advance(2 * SECOND);
    expect(await connect().readSignal('queue_depth', SCOPE, at())).toMatchObject({
      kind: 'empty',
      detail: expect.stringMatching(/; Prometheus warns: store b is away/),
    });
  });

  test('native histograms are said to be what they are', async () => {
    const result = [{ metric: { pod: 'a' }, histogram: [1, { count: '1', sum: '1', buckets: [] }] }];
    server.answer((question) =>
      isProbe(question)
        ? vllmFleet(question)
        : { kind: 'json', body: { status: 'success', data: { resultType: 'vector', result } } },
    );
    expect(await connect().readSignal('queue_depth', SCOPE, at())).toMatchObject({
      reason: 'not_a_number',
      detail: expect.stringContaining('native histograms'),
    });
  });

  test('an engine file’s scale turns its unit into the catalog’s', async () => {
    const read = readEngineFile(
      'own.yaml',
      `engine: own
title: Own exporter
probe: own_up
labels: {}
worker: [host]
signals:
  gpu_utilization: { expr: 'own_gpu_percent{$selector}', status: exact, scale: 0.01, metrics: [own_gpu_percent], source: its README }
`,
    );
    if (read.kind !== 'ok') throw new Error(JSON.stringify(read.faults));
    server.answer((question) =>
      isProbe(question) ? vectorOf([[{ engine: 'own' }, '1']]) : vectorOf([[{ host: 'a' }, '55']]),
    );
    const reading = await connect({ engines: [read.engine] }).readSignal('gpu_utilization', SCOPE, at());

    expect(reading).toMatchObject({ engine: 'own', samples: [{ worker: 'a' }] });
    expect(reading.kind === 'value' && reading.samples[0]?.value).toBeCloseTo(0.55);
  });
});
