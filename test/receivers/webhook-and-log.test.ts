import { afterEach, describe, expect, test } from 'vitest';
import { parseRetryAfter } from '../../src/receivers/http-outcome.js';
import { createLogReceiver } from '../../src/receivers/log.js';
import { createWebhookReceiver } from '../../src/receivers/webhook.js';
import { aResolvedView, aView } from '../support/a-view.js';
import { type FakeWebhook, startFakeWebhook } from '../support/fake-webhook.js';
import { aDelivery, fastClock, keptLog, never } from './receiver-setup.js';

const SECRET = 'MARKER-webhook-secret';

describe('the generic webhook', () => {
  let hook: FakeWebhook;
  afterEach(() => hook.close());

  async function setup(secret?: string) {
    hook = await startFakeWebhook();
    const log = keptLog();
    const receiver = createWebhookReceiver(
      { name: 'hook', url: `${hook.url}/in/MARKER-url-token`, secret },
      { publicUrl: null, fetch: globalThis.fetch, clock: fastClock(), logger: log },
    );
    return { receiver, log };
  }

  test('posts a signed summary with a key that stays the same on every attempt', async () => {
    const { receiver } = await setup(SECRET);
    expect(await receiver.deliver(aDelivery('webhook', aView()), never)).toMatchObject({ kind: 'sent' });
    await receiver.deliver(aDelivery('webhook', aView(), { attempts: 2 }), never);
    const [first, second] = hook.requests();
    if (first === undefined || second === undefined) throw new Error('two requests expected');
    expect(hook.isSigned(first, SECRET)).toBe(true);
    expect(hook.isSigned(first, 'another')).toBe(false);
    expect(first.headers['idempotency-key']).toBe(second.headers['idempotency-key']);
    expect(hook.bodies()[0]).toMatchObject({ id: 'INC-412', status: 'firing', severity: 'critical' });
  });

  test('without a secret it is not signed', async () => {
    const { receiver } = await setup();
    await receiver.deliver(aDelivery('webhook', aView()), never);
    expect(hook.requests()[0]?.headers).not.toHaveProperty('x-signature');
  });

  test.each([
    [307, 'retry', 'redirect'],
    [400, 'dead', 'client_error'],
    [410, 'dead', 'client_error'],
    [425, 'retry', 'timeout'],
    [429, 'retry', 'rate_limited'],
    [503, 'retry', 'server_error'],
  ] as const)('HTTP %i is %s (%s) and is not followed', async (status, kind, reason) => {
    const { receiver } = await setup();
    hook.failNext({ kind: 'status', status, headers: { location: `${hook.url}/elsewhere` } });
    expect(await receiver.deliver(aDelivery('webhook', aView()), never)).toMatchObject({ kind, reason });
    expect(hook.requests()).toHaveLength(1);
  });

  test('neither the secret nor the URL appears in a result', async () => {
    const { receiver, log } = await setup(SECRET);
    const results: unknown[] = [];
    hook.failNext({ kind: 'status', status: 500, body: `POST ${hook.url}/in/MARKER-url-token` });
    results.push(await receiver.deliver(aDelivery('webhook', aView()), never));
    hook.failNext({ kind: 'close' });
    results.push(await receiver.deliver(aDelivery('webhook', aView()), never));
    expect(JSON.stringify(results) + log.lines().join()).not.toContain('MARKER');
  });
});

describe('the log', () => {
  test('a critical is written loudly, its resolve quietly, both in whole', async () => {
    const log = keptLog();
    const receiver = createLogReceiver({ name: 'journal' }, { publicUrl: null, logger: log });
    await receiver.deliver(aDelivery('log', aView()), never);
    await receiver.deliver(aDelivery('log', aResolvedView()), never);
    const [fired, resolved] = log.lines();
    expect(fired).toMatch(/^error incident .*CRIT TTFT p99 11.8s.*Do NOT: Halve max_batch_size/);
    expect(resolved).toMatch(/^info incident .*OK TTFT p99 1.3s/);
  });
});

test.each([
  [null, null],
  ['', null],
  ['5', 5_000],
  ['Sun, 22 Nov 2026 03:00:10 GMT', 10_000],
  ['Sun, 22 Nov 2026 02:00:00 GMT', null],
  ['Sun, 22 Nov 2036 02:00:00 GMT', 120_000],
  ['Infinity', null],
])('Retry-After %s', (header, expected) => {
  expect(parseRetryAfter(header, Date.UTC(2026, 10, 22, 3, 0, 0))).toBe(expected);
});
