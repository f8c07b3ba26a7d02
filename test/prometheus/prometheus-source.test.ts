/** The source against the real Prometheus, which scrapes pages that a test writes by hand. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/app.js';
import { builtInEnginesDirectory, loadEngineFiles } from '../../src/catalog/engine-file.js';
import type { SignalReading } from '../../src/domain/signal.js';
import type { Launched } from '../../src/prometheus/launch.js';
import { createPrometheusClient } from '../../src/prometheus/prometheus-client.js';
import { createPrometheusSource } from '../../src/prometheus/prometheus-source.js';
import { startPrometheus, withoutPrometheus } from '../support/real-prometheus.js';

const SCRAPE_MS = 500;
/** Five minutes become five seconds. */
const TIME_SCALE = 60;
const HOSTILE = 'm"} or vector(1) # \\ {$selector}';

/** `tick` counts scrapes of the page, so that counters move. */
type Page = {
  readonly pod: string;
  readonly labels: Record<string, string>;
  readonly text: (tick: number) => string | null;
};

const prod = { cluster: 'prod', namespace: 'serving' };
const vllm = (name: string, labels: string, value: number | string) => `vllm:${name}{${labels}} ${value}\n`;

function vllmWorker(model: string, kv: number, extra: (tick: number) => string = () => '') {
  return (tick: number) =>
    [
      vllm('num_requests_running', `model_name="${model}",engine="0"`, 8),
      vllm('num_requests_waiting', `model_name="${model}",engine="0"`, 3),
      vllm('kv_cache_usage_perc', `model_name="${model}",engine="0"`, kv),
      vllm('generation_tokens_total', `model_name="${model}",engine="0"`, tick * 100),
      extra(tick),
    ].join('');
}

const finished = (model: string, reason: string, count: number) =>
  vllm('request_success_total', `model_name="${model}",engine="0",finished_reason="${reason}"`, count);

const ttft = (prefix: string, labels: string, count: number) =>
  `${prefix}_bucket{le="1",${labels}} ${count}\n${prefix}_bucket{le="2.5",${labels}} ${count}\n${prefix}_bucket{le="+Inf",${labels}} ${count}\n${prefix}_count{${labels}} ${count}\n`;

/** Set by a test: the page answers 500 from then on. */
let goneIsGone = false;

const PAGES: Record<string, Page> = {
  '/v0': {
    pod: 'v0',
    labels: prod,
    text: (tick) =>
      vllmWorker('v', 0.97, (t) =>
        ttft('vllm:time_to_first_token_seconds', 'model_name="v",engine="0"', t * 10),
      )(tick) +
      vllm('num_requests_running', 'model_name="v",engine="1"', 2) +
      vllm('kv_cache_usage_perc', 'model_name="v",engine="1"', 0.5) +
      `process_start_time_seconds ${1000 + Math.min(tick, 2)}\n`,
  },
  '/v1': { pod: 'v1', labels: prod, text: vllmWorker('v', 0.2) },
  '/old': {
    pod: 'old0',
    labels: prod,
    text: () =>
      vllm('num_requests_running', 'model_name="old",engine="0"', 1) +
      vllm('gpu_cache_usage_perc', 'model_name="old",engine="0"', 0.4),
  },
  '/left': {
    pod: 'a0',
    labels: prod,
    text: (tick) =>
      vllm('num_requests_running', 'model_name="left",engine="0"', 1) +
      finished('left', 'stop', tick * 6) +
      finished('left', 'abort', tick * 3) +
      finished('left', 'error', tick),
  },
  '/impatient': {
    pod: 'p0',
    labels: prod,
    text: (tick) =>
      vllm('num_requests_running', 'model_name="impatient",engine="0"', 1) +
      finished('impatient', 'stop', tick) +
      finished('impatient', 'abort', tick * 9),
  },
  '/renamed': {
    pod: 'r0',
    labels: prod,
    text: () =>
      vllm('num_requests_running', 'model_name="renamed",engine="0"', 1) +
      'ray_vllm_kv_cache_usage_perc{model_name="renamed"} 0.4\n' +
      'acme_num_requests_waiting{model_name="renamed"} 4\n',
  },
  '/gpu': {
    pod: 'g0',
    labels: { ...prod, model: 'gpu' },
    text: () =>
      vllm('num_requests_running', 'model_name="gpu",engine="0"', 1) +
      'llm_gpu_utilization{worker_id="g0",gpu_id="0"} 0.5\nllm_gpu_utilization{worker_id="g0",gpu_id="1"} 0.7\n',
  },
  '/llm': {
    pod: 'l0',
    labels: { ...prod, model: 'l' },
    text: (tick) =>
      'llm_kv_cache_utilization{worker_id="w0",gpu_id="0"} 0.5\nllm_kv_cache_utilization{worker_id="w1",gpu_id="0"} NaN\n' +
      'llm_queue_depth{worker_id="w0",priority="high"} 3\nllm_queue_depth{worker_id="w0",priority="low"} 4\n' +
      'llm_queue_depth{worker_id="w1",priority="low"} +Inf\n' +
      'llm_kv_fragmentation_ratio{worker_id="w0"} NaN\n' +
      `llm_requests_total{endpoint="/v1"} ${tick * 5}\n` +
      ttft('llm_ttft_seconds', 'endpoint="/v1"', 7) +
      'llm_gpu_memory_used_bytes{worker_id="w0"} 5\nllm_kv_blocks_free{worker_id="w0"} 5\nhttp_requests_total 4\n',
  },
  '/idle': {
    pod: 'i0',
    labels: { ...prod, model: 'idle' },
    text: () =>
      'llm_kv_cache_utilization{worker_id="w0"} 0\nllm_requests_total{endpoint="/v1"} 12\n' +
      'llm_error_total{error_type="oom"} 2\n',
  },
  '/unlabelled': {
    pod: 'u0',
    labels: { cluster: 'prod', model: 'unlabelled' },
    text: () => 'llm_kv_cache_utilization{worker_id="w0"} 0.99\n',
  },
  '/gone': {
    pod: 'gone0',
    labels: { ...prod, model: 'gone' },
    text: () => (goneIsGone ? null : 'llm_kv_cache_utilization{worker_id="w0"} 0.9\n'),
  },
  '/hostile': {
    pod: 'h0',
    labels: prod,
    text: () =>
      `llm_kv_cache_utilization{worker_id="w0",model="${HOSTILE.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"} 0.3\n`,
  },
};

describe.skipIf(withoutPrometheus)('signals of a real Prometheus', () => {
  let pages: Server;
  let prometheus: Launched;
  let source: ReturnType<typeof createPrometheusSource>;
  const ticks = new Map<string, number>();

  beforeAll(async () => {
    pages = createServer((request, response) => {
      const path = request.url ?? '';
      const tick = (ticks.get(path) ?? 0) + 1;
      ticks.set(path, tick);
      const text = PAGES[path]?.text(tick) ?? null;
      response.writeHead(text === null ? 500 : 200, { 'content-type': 'text/plain; version=0.0.4' });
      response.end(text ?? '');
    });
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(pages.address() as AddressInfo).port}`;
    prometheus = await startPrometheus({
      scrapeTargets: Object.entries(PAGES).map(([path, page]) => ({
        address,
        path,
        labels: { ...page.labels, pod: page.pod },
      })),
      scrapeIntervalMs: SCRAPE_MS,
      evaluationIntervalMs: 1000,
    });
    const client = createPrometheusClient({ baseUrl: prometheus.url, clock: systemClock });
    source = createPrometheusSource({
      client,
      engines: loadEngineFiles(builtInEnginesDirectory()),
      clock: systemClock,
      timeScale: TIME_SCALE,
      scrapeIntervalMs: SCRAPE_MS,
    });
    await until(() => Object.keys(PAGES).every((path) => (ticks.get(path) ?? 0) >= 6));
  }, 60_000);

  afterAll(async () => {
    await source?.close();
    await prometheus?.close();
    await new Promise((resolve) => pages.close(resolve));
  });

  const scope = (model: string) => ({ ...prod, model });
  const read = (signal: string, where: Record<string, string>) =>
    source.readSignal(signal, where, { atMs: Date.now() });
  const values = (reading: SignalReading) =>
    reading.kind === 'value'
      ? Object.fromEntries(reading.samples.map((one) => [one.worker ?? 'scope', one.value]))
      : reading;

  test('a worker is a pod, and its rank where it has several', async () => {
    const reading = await read('kv_cache_utilization', scope('v'));

    expect(values(reading)).toEqual({ v0: 0.97, 'v0/1': 0.5, v1: 0.2 });
    expect(reading.engine).toBe('vllm');
    expect(reading.query).toContain('cluster="prod",namespace="serving",model_name="v"');
  });

  test('a worker of the canonical names is its worker_id; priorities are added up', async () => {
    expect(values(await read('queue_depth', scope('l')))).toEqual({ w0: 7, w1: Number.POSITIVE_INFINITY });
  });

  test('a worker whose value is NaN stays known', async () => {
    expect(values(await read('kv_cache_utilization', scope('l')))).toEqual({ w0: 0.5, w1: Number.NaN });
  });

  test('NaN from all workers is said', async () => {
    expect(await read('kv_fragmentation_ratio', scope('l'))).toMatchObject({
      reason: 'not_a_number',
      detail: 'llm_kv_fragmentation_ratio is NaN',
    });
  });

  test('a rate and a quantile answer over the scaled window', async () => {
    const rate = await read('generation_tokens_rate', scope('v'));
    const quantile = await read('ttft_p99_seconds', scope('v'));

    expect(rate.query).toContain('[5s]');
    const { v0, v1 } = values(rate) as Record<string, number>;
    expect(v0).toBeGreaterThan(100);
    expect(v1).toBeGreaterThan(100);
    expect((values(quantile) as Record<string, number>).scope).toBeCloseTo(0.99, 5);
  });

  test('the old name of a metric answers where the new one is absent', async () => {
    expect(values(await read('kv_cache_utilization', scope('old')))).toEqual({ old0: 0.4 });
  });

  test('restarts and liveness are those of the targets that serve the model', async () => {
    expect(values(await read('worker_restarts', scope('v')))).toMatchObject({ v0: 1 });
    expect(values(await read('worker_up', scope('v')))).toEqual({ v0: 1, 'v0/1': 1, v1: 1 });
    expect(values(await read('replicas_available', scope('v')))).toEqual({ scope: 3 });
  });

  test('the canonical names fill what the engine does not export', async () => {
    const filled = await read('gpu_utilization', scope('gpu'));

    expect(values(filled)).toEqual({ g0: 0.6 });
    expect(filled.engine).toBe('llm');
  });

  test('what neither has is unavailable, with the reason of the engine', async () => {
    expect(await read('gpu_utilization', scope('v'))).toMatchObject({
      kind: 'empty',
      reason: 'unavailable',
      engine: 'vllm',
      detail: 'vLLM exports no GPU figures; a GPU exporter does',
    });
    expect(await read('no_such_signal', scope('v'))).toMatchObject({ reason: 'unavailable' });
  });

  test('no error series is an error ratio of 0', async () => {
    expect(values(await read('error_ratio', scope('l')))).toEqual({ scope: 0 });
  });

  test('a client that leaves is a request of vLLM and no error', async () => {
    const ratio = values(await read('error_ratio', scope('left'))) as Record<string, number>;
    const types = await read('error_rate_by_type', scope('left'));

    expect(ratio.scope).toBeCloseTo(0.1, 5);
    expect(types.kind === 'value' && types.samples.map((one) => one.labels.error_type)).toEqual(['error']);
    expect(values(await read('error_ratio', scope('impatient')))).toEqual({ scope: 0 });
    expect(await read('error_rate_by_type', scope('impatient'))).toMatchObject({ samples: [{ value: 0 }] });
  });

  test('no traffic is no ratio, no quantile and no fault', async () => {
    expect(await read('error_ratio', scope('idle'))).toMatchObject({
      reason: 'no_traffic',
      detail: expect.stringContaining('llm_requests_total counted nothing in 2s: no requests, or a stall'),
    });
    expect(await read('ttft_p99_seconds', scope('l'))).toMatchObject({
      reason: 'no_traffic',
      detail: expect.stringContaining('llm_ttft_seconds_count counted nothing in 5s'),
    });
  });

  test('a metric under a name that its engine is known by elsewhere is called renamed', async () => {
    expect(await read('kv_cache_utilization', scope('renamed'))).toMatchObject({
      reason: 'renamed',
      detail: 'no series for vllm:kv_cache_usage_perc; found ray_vllm_kv_cache_usage_perc, renamed',
    });
  });

  test('a metric under a name nobody knows is found by its ending', async () => {
    expect(await read('queue_depth', scope('renamed'))).toMatchObject({
      reason: 'renamed',
      detail: 'no series for vllm:num_requests_waiting; found acme_num_requests_waiting instead: renamed?',
    });
  });

  test('a missing label is named, and the question is never asked without it', async () => {
    const reading = await read('kv_cache_utilization', scope('unlabelled'));

    expect(reading).toMatchObject({
      kind: 'empty',
      reason: 'label_missing',
      detail: expect.stringContaining('llm_kv_cache_utilization has series without the label namespace'),
    });
    // The scope of an alert that has no namespace either is answered.
    expect(values(await read('kv_cache_utilization', { cluster: 'prod', model: 'unlabelled' }))).toEqual({
      w0: 0.99,
    });
  });

  test('a scope without labels, or with an empty one, is no question', async () => {
    expect(await read('kv_cache_utilization', {})).toMatchObject({ reason: 'label_missing', query: null });
    expect(await read('kv_cache_utilization', { cluster: 'prod', model: '' })).toMatchObject({
      reason: 'label_missing',
      detail: expect.stringContaining('model'),
    });
  });

  test('a scope that nobody serves is told from one that somebody else does', async () => {
    const reading = await read('kv_cache_utilization', scope('typo'));

    expect(reading).toMatchObject({ reason: 'no_series', engine: null });
    expect(reading.kind === 'empty' && reading.detail).toContain('there are some for cluster="prod"');
  });

  test('another metric of a similar name is not taken for the missing one', async () => {
    expect(await read('kv_blocks_total', scope('l'))).toMatchObject({
      reason: 'no_series',
      detail: expect.stringContaining('no series for llm_kv_blocks_total'),
    });
    expect(await read('request_rate', scope('gone'))).toMatchObject({ reason: 'no_series' });
  });

  test('one of two metrics that a ratio needs is named', async () => {
    expect(await read('gpu_memory_ratio', scope('l'))).toMatchObject({
      reason: 'no_series',
      detail: expect.stringContaining('no series for llm_gpu_memory_total_bytes'),
    });
  });

  test('a label value that looks like PromQL selects its own series and nothing else', async () => {
    expect(values(await read('kv_cache_utilization', scope(HOSTILE)))).toEqual({ w0: 0.3 });
  });

  test('a range has a point for every step and NaN where nothing was', async () => {
    const now = Date.now();
    const range = await source.readRange('kv_cache_utilization', scope('v'), {
      atMs: now,
      spanMs: 60_000,
      maxPoints: 31,
    });

    if (range.kind !== 'series') throw new Error(JSON.stringify(range));
    const v0 = range.series.find((one) => one.worker === 'v0');
    expect(v0?.points.length).toBe(31);
    expect(v0?.points.at(-1)).toEqual([now, 0.97]);
    expect(v0?.points[0]?.[1]).toBeNaN();
    expect(
      await source.readRange('queue_depth', scope('renamed'), { atMs: now, spanMs: 60_000, maxPoints: 5 }),
    ).toMatchObject({
      reason: 'renamed',
    });
  });

  test('an expression is asked as it stands', async () => {
    const ask = (expression: string) => source.query(expression, { atMs: Date.now() });

    expect(await ask('vector(3) > 2')).toMatchObject({
      kind: 'value',
      samples: [{ value: 3, worker: null }],
    });
    expect(await ask('vector(1) > 2')).toMatchObject({ kind: 'empty', reason: 'no_series' });
    expect(await ask('rate(up)')).toMatchObject({
      kind: 'failed',
      reason: 'query_refused',
      detail: expect.stringContaining('expected type range vector'),
    });
  });

  test('a target that stopped answering is stale, with its age, and down', async () => {
    goneIsGone = true;
    const scraped = ticks.get('/gone') ?? 0;
    await until(() => (ticks.get('/gone') ?? 0) >= scraped + 6);
    const reading = await read('kv_cache_utilization', scope('gone'));

    if (reading.kind !== 'stale') throw new Error(JSON.stringify(reading));
    expect(reading.ageMs).toBeGreaterThan(500);
    expect(reading.ageMs).toBeLessThan(30_000);
    expect(reading.detail).toMatch(/^llm_kv_cache_utilization was last seen \d+ s ago for cluster="prod"/);
    expect(values(await read('worker_up', scope('gone')))).toEqual({ w0: 0 });
  });
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 40_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited 40 s in vain');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
