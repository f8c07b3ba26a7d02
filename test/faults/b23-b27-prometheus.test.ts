/**
 * Rows B23–B27 of the fault matrix: what Prometheus can do to a page. Each critical pages exactly once, within 5 s of
 * its webhook, with the reason in words; what page, card and incident say of each case is told by
 * `test/e2e/blind-prometheus`, and every odd answer by `test/prometheus/prometheus-client`.
 */

import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/clock.js';
import {
  type FakeAnswer,
  type FakePrometheus,
  startFakePrometheus,
  vectorOf,
} from '../support/fake-prometheus.js';
import { startWorld, type Window, type World } from './world.js';

const MIB = 1024 * 1024;
/** Where the page is to leave in, from its webhook. */
const PAGE_WITHIN_MS = 5 * SECOND;

async function startBlind(
  answer: FakeAnswer | null,
): Promise<World & { readonly prometheus: FakePrometheus }> {
  const prometheus = await startFakePrometheus(() => answer ?? { kind: 'hang' });
  onTestFinished(() => prometheus.close());
  const { url } = prometheus;
  if (answer === null) await prometheus.close();
  return { ...(await startWorld({ source: 'configured', config: { prometheus: { url } } })), prometheus };
}

/** One page a model that fired at the given times, its card, and nothing else. */
function onceEach(fired: ReadonlyMap<string, number>): readonly Window[] {
  return [...fired].flatMap(([about, at]): readonly Window[] => [
    { to: 'pager', what: 'trigger', about, ok: true, from: at, until: at + PAGE_WITHIN_MS, times: 1 },
    {
      to: 'slack',
      what: 'chat.postMessage',
      about,
      ok: true,
      from: at,
      until: at + PAGE_WITHIN_MS,
      times: 1,
    },
    // The verdict that came too late for the card, and the people it has to reach.
    { to: 'slack', what: 'chat.update', about, ok: true, from: at, until: at + MINUTE, times: [0, 2] },
  ]);
}

const shortOf = (w: World) =>
  /Not diagnosed: [^"\\]+/.exec(w.pagers.pager.requests()[0]?.body ?? '')?.[0] ?? '';

describe.each<[row: string, answer: FakeAnswer | null, short: string]>([
  ['B23: refuses the connection', null, 'Prometheus unreachable'],
  ['B23: resets it', { kind: 'reset' }, 'Prometheus unreachable'],
  ['B24: accepts and never answers', { kind: 'hang' }, 'Prometheus timed out'],
  [
    'B25: answers a byte a second',
    { kind: 'endless', chunk: Buffer.from('{'), everyMs: 1000 },
    'Prometheus timed out',
  ],
  [
    'B25: answers without end',
    { kind: 'endless', chunk: Buffer.alloc(64 * 1024, ' '), everyMs: 0 },
    'Prometheus unreadable',
  ],
  [
    'B25: answers a gzip bomb',
    text(gzipSync(Buffer.alloc(50 * MIB)), 200, {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    }),
    'Prometheus unreadable',
  ],
])('a Prometheus that %s', (_row, answer, short) => {
  test('costs no page its five seconds, and the page says so', async () => {
    const w = await startBlind(answer);
    expect(await w.fire('model-1')).toBe(200);
    await w.pass(12 * SECOND);

    w.expectCalls(onceEach(new Map([['model-1', 0]])));
    expect(shortOf(w)).toContain(short);
    const asked = Math.max(1, w.prometheus.questions().length);
    expect(w.prometheus.bytesSent()).toBeLessThan(asked * 8 * MIB);
  });
});

function text(body: string | Buffer, status: number, headers: Record<string, string> = {}): FakeAnswer {
  return { kind: 'text', body, status, headers };
}
function json(body: unknown, status = 200): FakeAnswer {
  return { kind: 'json', body, status };
}
const data = (resultType: string, result: unknown) =>
  json({ status: 'success', data: { resultType, result } });
const value = (of: string) =>
  vectorOf([[{ __name__: 'vllm:num_requests_running', model_name: 'model-1' }, of]]);

const REPLIES: readonly [name: string, answer: FakeAnswer][] = [
  ['400 with a reason', json({ status: 'error', errorType: 'bad_data', error: 'parse error' }, 400)],
  ['503 queue', json({ status: 'error', errorType: 'timeout', error: 'query timed out' }, 503)],
  ['502 HTML', text('<html>', 502, { 'content-type': 'text/html' })],
  ['401', text('Unauthorized', 401)],
  ['a redirect', text('', 302, { location: 'http://169.254.169.254/' })],
  ['HTML 200', text('<html>login</html>', 200, { 'content-type': 'text/html' })],
  ['half a JSON', text('{"status":', 200, { 'content-type': 'application/json' })],
  ['no data', json({ status: 'success' })],
  ['a matrix', data('matrix', [])],
  ['an error with 200', json({ status: 'error', errorType: 'internal', error: 'x' })],
  ['a connection that is cut', { kind: 'cut' }],
  ['NaN', value('NaN')],
  ['+Inf', value('+Inf')],
  ['nothing', data('vector', [])],
  ['nothing, with a warning', vectorOf([], { warnings: ['PromQL info: partial response'] })],
];

test.each(REPLIES)('B26: %s: one page in time that claims no cause', async (_name, answer) => {
  const w = await startBlind(answer);
  await w.fire('model-1');
  await w.pass(6 * SECOND);

  w.expectCalls(onceEach(new Map([['model-1', 0]])));
  const diagnosis = (await w.app.readView(1))?.diagnosis;
  expect(diagnosis?.verdict).toMatchObject({ cause: null, confidence: 'none', evidence: [], ruledOut: [] });
  expect(diagnosis?.findings.map(({ status }) => status)).not.toContain('ok');
});

test('B27: while Prometheus comes and goes every three seconds for five minutes, each of ten criticals pages once, in time, and no question is thrown at it', async () => {
  const w = await startBlind(data('vector', []));
  const isUp = () => Math.floor(w.clock.monotonic() / (3 * SECOND)) % 2 === 0;
  w.prometheus.answer(() => (isUp() ? vectorOf([]) : { kind: 'reset' }));
  const fired = new Map<string, number>();

  for (let number = 1; number <= 10; number += 1) {
    fired.set(`model-${number}`, w.clock.monotonic());
    await w.fire(`model-${number}`);
    await w.pass(29 * SECOND);
  }

  w.expectCalls(onceEach(fired));
  // What one calm diagnosis asks, ten times, and no retry beyond.
  const calm = await startBlind(data('vector', []));
  await calm.fire('model-1');
  await calm.pass(29 * SECOND);
  expect(w.prometheus.questions().length).toBeLessThanOrEqual(10 * calm.prometheus.questions().length);
});
