import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SECOND } from '../../src/domain/clock.js';
import {
  createPrometheusClient,
  type PrometheusClient,
  type PrometheusClientOptions,
} from '../../src/prometheus/prometheus-client.js';
import {
  type FakeAnswer,
  type FakePrometheus,
  startFakePrometheus,
  vectorOf,
} from '../support/fake-prometheus.js';
import { createManualClock, type ManualClock } from '../support/manual-clock.js';

const AT = { atMs: 1_700_000_000_123 };
let server: FakePrometheus;
let clock: ManualClock;
let client: PrometheusClient;

beforeEach(async () => {
  server = await startFakePrometheus();
  clock = createManualClock({ nowMs: AT.atMs });
  client = connect();
});

afterEach(async () => {
  await client.close();
  await server.close();
});

function connect(options: Partial<PrometheusClientOptions> = {}): PrometheusClient {
  return createPrometheusClient({ baseUrl: server.url, clock, ...options });
}

/** Moves time until the question is answered: its timer has to be running first. */
async function withTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  while (server.questions().length === 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(ms);
  return answer;
}

const json = (body: unknown, status = 200): FakeAnswer => ({ kind: 'json', body, status });
const text = (body: string, status: number, type = 'text/html'): FakeAnswer => ({
  kind: 'text',
  body,
  status,
  headers: { 'content-type': type },
});
const success = (resultType: string, result: unknown) => ({
  status: 'success',
  data: { resultType, result },
});

describe('the question', () => {
  test('is a form, limited in time below our own patience, and asks for no compression', async () => {
    await client.query('up', AT);

    const question = server.questions()[0];
    expect(question?.method).toBe('POST');
    expect(question?.path).toBe('/api/v1/query');
    expect(question?.form).toEqual({ query: 'up', time: '1700000000.123', timeout: '2800ms' });
    expect(question?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect(question?.headers['accept-encoding']).toBe('identity');
  });

  test('keeps a path prefix, a tenant header and credentials', async () => {
    const behindProxy = connect({
      baseUrl: `${server.url}/prometheus/`,
      headers: { 'x-scope-orgid': 'team' },
      basicAuth: { username: 'u', password: 'a:b' },
    });
    await behindProxy.query('up', AT);
    await behindProxy.close();

    expect(server.questions()[0]?.path).toBe('/prometheus/api/v1/query');
    expect(server.questions()[0]?.headers['x-scope-orgid']).toBe('team');
    expect(server.questions()[0]?.headers.authorization).toBe(`Basic ${btoa('u:a:b')}`);
  });

  test('of a range names start, end and step', async () => {
    server.answer(() =>
      json(
        success('matrix', [
          {
            metric: { a: 'b' },
            values: [
              [1, '+Inf'],
              [2, '3'],
            ],
          },
        ]),
      ),
    );
    const answer = await client.queryRange('up', { startMs: 1000, endMs: 2000, stepMs: 500 });

    expect(server.questions()[0]?.form).toMatchObject({ start: '1.000', end: '2.000', step: '0.500' });
    expect(answer).toMatchObject({
      kind: 'matrix',
      series: [
        {
          points: [
            [1000, Number.POSITIVE_INFINITY],
            [2000, 3],
          ],
        },
      ],
    });
  });

  test('is asked by at most four connections at once', async () => {
    server.answer(() => ({ kind: 'hang' }));
    const answers = Promise.all(Array.from({ length: 10 }, () => client.query('up', AT)));
    while (server.questions().length < 4) await new Promise((resolve) => setImmediate(resolve));

    expect(server.openSockets()).toBe(4);
    await clock.advance(3 * SECOND);
    expect((await answers).every((answer) => answer.kind === 'failed')).toBe(true);
  });
});

describe('a good answer', () => {
  test('keeps values in Prometheus’ own spelling of numbers', async () => {
    const values = ['1', '1e+00', '+Inf', '-Inf', 'NaN'];
    server.answer(() => vectorOf(values.map((value, i) => [{ i: String(i) }, value])));
    const answer = await client.query('up', AT);

    expect(answer.kind === 'vector' && answer.samples.map((one) => one.value)).toEqual([
      1,
      1,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
    ]);
  });

  test('may be a scalar', async () => {
    server.answer(() => json(success('scalar', [1, '+Inf'])));
    expect(await client.query('1/0', AT)).toMatchObject({ samples: [{ value: Number.POSITIVE_INFINITY }] });
  });

  test('may hold native histograms, which are no numbers', async () => {
    const histogram = [1, { count: '3', sum: '4', buckets: [[0, '1', '2', '3']] }];
    server.answer(() => json(success('vector', [{ metric: {}, histogram }])));
    expect(await client.query('x', AT)).toMatchObject({ samples: [{ value: Number.NaN, native: true }] });

    server.answer(() => json(success('matrix', [{ metric: {}, histograms: [histogram] }])));
    expect(await client.queryRange('x', { startMs: 0, endMs: 1, stepMs: 1 })).toMatchObject({
      series: [{ points: [] }],
    });
  });

  test('keeps warnings, and what VictoriaMetrics says of a partial answer', async () => {
    server.answer(() => vectorOf([[{}, '1']], { warnings: ['a store is away'], isPartial: true }));
    expect(await client.query('up', AT)).toMatchObject({
      warnings: ['a store is away', 'the answer is partial'],
    });
  });

  test('may carry labels named like parts of an object', async () => {
    server.answer(() => ({
      kind: 'text',
      headers: { 'content-type': 'application/json' },
      body: '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__proto__":"x","constructor":"y"},"value":[1,"1"]}]}}',
    }));
    const answer = await client.query('up', AT);
    expect(answer.kind === 'vector' && Object.entries(answer.samples[0]?.labels ?? {})).toContainEqual([
      'constructor',
      'y',
    ]);
  });
});

const error = (errorType: string, said: string, status: number) =>
  json({ status: 'error', errorType, error: said }, status);

describe('a bad answer is a reason (B26)', () => {
  const cases: [string, FakeAnswer, string, RegExp][] = [
    ['400 parse error', error('bad_data', 'unexpected end', 400), 'query_refused', /^unexpected end$/],
    ['422 execution', error('execution', 'many-to-many', 422), 'query_refused', /^many-to-many$/],
    ['503 query timeout', error('timeout', 'query timed out in query queue', 503), 'timeout', /timed out in/],
    ['503 starting', text('Service Unavailable', 503, 'text/plain'), 'http_error', /HTTP 503$/],
    ['500 storage', error('internal', 'not ready', 500), 'http_error', /HTTP 500: not ready/],
    ['400 of a proxy', text('<html>', 400), 'http_error', /HTTP 400$/],
    ['401', text('Unauthorized', 401, 'text/plain'), 'http_error', /HTTP 401$/],
    ['403 JSON', json({ message: 'forbidden' }, 403), 'http_error', /HTTP 403$/],
    ['404', text('404 page not found', 404, 'text/plain'), 'http_error', /HTTP 404$/],
    ['429', text('slow down', 429), 'http_error', /HTTP 429$/],
    ['204', { kind: 'text', body: '', status: 204 }, 'http_error', /HTTP 204$/],
    [
      'redirect',
      { kind: 'text', body: '', status: 302, headers: { location: 'http://169.254.169.254/' } },
      'http_error',
      /redirects are not followed/,
    ],
    [
      'HTML 200',
      text('<html>login</html>', 200),
      'bad_response',
      /text\/html, not JSON: is this Prometheus\?/,
    ],
    ['no type', { kind: 'text', body: '{}' }, 'bad_response', /no content type/],
    ['JSON in an HTML type', text('{"status":"success"}', 200), 'bad_response', /text\/html/],
    [
      'bad JSON',
      text('{"status":', 200, 'application/json'),
      'bad_response',
      /not an answer of the Prometheus API/,
    ],
    ['empty body', text('', 200, 'application/json'), 'bad_response', /not an answer/],
    ['null', json(null), 'bad_response', /not an answer/],
    ['a list', json([]), 'bad_response', /not an answer/],
    ['another API', json({ ok: true }), 'bad_response', /not an answer/],
    ['unknown status', json({ status: 'maybe' }), 'bad_response', /not an answer/],
    ['no data', json({ status: 'success' }), 'bad_response', /without data/],
    ['a matrix', json(success('matrix', [])), 'bad_response', /matrix, expected vector/],
    ['a string', json(success('string', [1, 'x'])), 'bad_response', /string, expected vector/],
    ['result no list', json(success('vector', { a: 1 })), 'bad_response', /unknown shape/],
    [
      'value a number',
      json(success('vector', [{ metric: {}, value: [1, 2] }])),
      'bad_response',
      /unknown shape/,
    ],
    [
      'metric no map',
      json(success('vector', [{ metric: 'x', value: [1, '2'] }])),
      'bad_response',
      /unknown shape/,
    ],
    ['error with 200', json({ status: 'error', errorType: 'internal', error: 'x' }), 'query_refused', /^x$/],
    ['reset', { kind: 'reset' }, 'unreachable', /connection (reset|closed)/],
    ['cut', { kind: 'cut' }, 'unreachable', /connection (reset|closed)/],
    ['no HTTP', { kind: 'garbage' }, 'bad_response', /does not speak HTTP/],
    [
      'gzip unasked',
      {
        kind: 'text',
        body: gzipSync('{}'),
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      },
      'bad_response',
      /gzip, which was not asked for/,
    ],
    [
      'gzip bomb',
      {
        kind: 'text',
        body: gzipSync(Buffer.alloc(50_000_000)),
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      },
      'bad_response',
      /not asked for/,
    ],
  ];

  test.each(cases)('%s', async (_name, answer, reason, detail) => {
    server.answer(() => answer);
    const outcome = await client.query('up', AT);

    expect(outcome).toMatchObject({ kind: 'failed', reason, detail: expect.stringMatching(detail) });
  });

  test('a redirect is not followed anywhere', async () => {
    const elsewhere = await startFakePrometheus();
    server.answer(() => ({ kind: 'text', body: '', status: 307, headers: { location: elsewhere.url } }));
    await client.query('up', AT);

    expect(elsewhere.questions()).toEqual([]);
    await elsewhere.close();
  });

  test('nobody listening', async () => {
    const gone = await startFakePrometheus();
    await gone.close();
    const lonely = connect({ baseUrl: gone.url });

    expect(await lonely.query('up', AT)).toMatchObject({
      reason: 'unreachable',
      detail: expect.stringMatching(/connection refused/),
    });
    await lonely.close();
  });

  test('an answer that never comes, after three seconds', async () => {
    server.answer(() => ({ kind: 'hang' }));
    const outcome = await withTime(client.query('up', AT), 3 * SECOND);
    expect(outcome).toMatchObject({
      reason: 'timeout',
      detail: expect.stringMatching(/no answer within 3 s/),
    });
  });

  test('an answer that trickles, after three seconds', async () => {
    server.answer(() => ({ kind: 'endless', chunk: Buffer.from(' '), everyMs: 5 }));
    const outcome = await withTime(client.query('up', AT), 3 * SECOND);
    expect(outcome).toMatchObject({ reason: 'timeout' });
  });

  test('an answer without end is cut at 2 MiB and its connection closed', async () => {
    server.answer(() => ({ kind: 'endless', chunk: Buffer.alloc(64 * 1024, 32), everyMs: 0 }));
    const outcome = await client.query('up', AT);
    expect(outcome).toMatchObject({
      reason: 'too_large',
      detail: expect.stringMatching(/larger than 2048 KiB/),
    });

    while (server.openSockets() > 0) await new Promise((resolve) => setImmediate(resolve));
    // What the kernel buffers on both sides comes on top.
    expect(server.bytesSent()).toBeLessThan(20 * 1024 * 1024);
  });

  test('a caller who gives up is answered at once', async () => {
    server.answer(() => ({ kind: 'hang' }));
    const abort = new AbortController();
    const answer = client.query('up', { ...AT, signal: abort.signal });
    abort.abort();

    expect(await answer).toMatchObject({ reason: 'timeout', detail: expect.stringMatching(/given up/) });
  });
});

describe('the circuit breaker', () => {
  const ask = () => client.query('up', AT);
  const broken = (): FakeAnswer => text('down', 502);

  async function open() {
    server.answer(broken);
    for (let i = 0; i < 5; i++) await ask();
  }

  test('opens after five failures in a row and then asks nothing', async () => {
    await open();
    const asked = server.questions().length;

    expect(await ask()).toMatchObject({ reason: 'circuit_open', detail: expect.stringMatching(/in 10 s/) });
    expect(server.questions().length).toBe(asked);
  });

  test('lets one question try after ten seconds, and closes when it is answered', async () => {
    await open();
    server.answer(() => vectorOf([]));
    await clock.advance(10 * SECOND);
    const tries = await Promise.all([ask(), ask(), ask()]);

    expect(tries.map((one) => one.kind)).toEqual(['vector', 'failed', 'failed']);
    expect((await ask()).kind).toBe('vector');
  });

  test('stays open while the try fails', async () => {
    await open();
    await clock.advance(10 * SECOND);
    expect(await ask()).toMatchObject({ reason: 'http_error' });
    expect(await ask()).toMatchObject({ reason: 'circuit_open' });
  });

  test('does not open for refused queries, nor for failures far apart, nor for callers who give up', async () => {
    server.answer(() => error('bad_data', 'parse error', 400));
    for (let i = 0; i < 8; i++) expect(await ask()).toMatchObject({ reason: 'query_refused' });

    server.answer(broken);
    for (let i = 0; i < 8; i++) {
      expect(await ask()).toMatchObject({ reason: 'http_error' });
      await clock.advance(8 * SECOND);
    }

    server.answer(() => vectorOf([]));
    await ask();
    server.answer(() => ({ kind: 'hang' }));
    for (let i = 0; i < 8; i++) {
      const abort = new AbortController();
      const answer = client.query('up', { ...AT, signal: abort.signal });
      abort.abort();
      expect(await answer).toMatchObject({ reason: 'timeout' });
    }
    server.answer(() => vectorOf([]));
    expect((await ask()).kind).toBe('vector');
  });

  test('is calm while the server comes and goes every three seconds', async () => {
    let asked = 0;
    let refused = 0;
    for (let second = 0; second < 60; second++) {
      const isUp = Math.floor(second / 3) % 2 === 1;
      server.answer(() => (isUp ? vectorOf([]) : broken()));
      const outcome = await ask();
      if (outcome.kind === 'failed' && outcome.reason === 'circuit_open') refused++;
      else asked++;
      await clock.advance(SECOND);
    }
    // Three failures never open it: each recovery is seen at once.
    expect({ asked, refused }).toEqual({ asked: 60, refused: 0 });
  });
});
