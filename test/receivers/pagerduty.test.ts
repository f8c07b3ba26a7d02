import { afterEach, describe, expect, test } from 'vitest';
import { createPagerDutyReceiver } from '../../src/receivers/pagerduty.js';
import type { Receiver } from '../../src/receivers/receiver.js';
import { aView } from '../support/a-view.js';
import { type FakePagerDuty, startFakePagerDuty } from '../support/fake-pagerduty.js';
import { aBareDelivery, aDelivery, fastClock, keptLog, never } from './receiver-setup.js';

const KEY = 'MARKERpagerkey0123456789abcdef00';

let pagerDuty: FakePagerDuty;
afterEach(() => pagerDuty.close());

async function setup(
  over: { eventsUrl?: string; speed?: number } = {},
): Promise<{ receiver: Receiver; log: ReturnType<typeof keptLog> }> {
  pagerDuty = await startFakePagerDuty();
  const log = keptLog();
  const receiver = createPagerDutyReceiver(
    { name: 'pager', routingKey: KEY, eventsUrl: over.eventsUrl ?? pagerDuty.url },
    {
      publicUrl: 'https://wakewell.example',
      fetch: globalThis.fetch,
      clock: fastClock(over.speed),
      logger: log,
    },
  );
  return { receiver, log };
}

test('a page opens one incident, a repeat collapses on it, ack and resolve follow', async () => {
  const { receiver } = await setup();

  expect(await receiver.deliver(aDelivery('page', aView()), never)).toEqual({
    kind: 'sent',
    ref: 'd'.repeat(64),
  });
  await receiver.deliver(aDelivery('page', aView(), { attempts: 2 }), never);
  await receiver.deliver(aDelivery('page_acknowledge', aView()), never);
  await receiver.deliver(aDelivery('page_resolve', aView()), never);

  expect(pagerDuty.incidents()).toMatchObject([{ state: 'resolved', triggers: 2, severity: 'critical' }]);
  expect(pagerDuty.incidents()[0]?.summary).toMatch(/^CRIT TTFT p99 11.8s/);
  pagerDuty.expectNoUnexpected();
});

test('a second page stands under a key of its own, says why it rings again, and is closed with the first', async () => {
  const { receiver } = await setup();
  const long = aView({ episode: { startedAtMs: Date.now() - 15 * 60_000 } });
  await receiver.deliver(aDelivery('page', long), never);
  await receiver.deliver(aDelivery('page_again', long), never);
  await receiver.deliver(aDelivery('page_again', long, { attempts: 2 }), never);

  expect(pagerDuty.incidents()).toMatchObject([
    { dedupKey: 'd'.repeat(64), triggers: 1 },
    { dedupKey: `${'d'.repeat(64)}.2`, triggers: 2 },
  ]);
  expect(pagerDuty.incidents()[1]?.summary).toMatch(/^CRIT \(2nd page, no ack 15m\) TTFT p99 11.8s/);

  await receiver.deliver(aDelivery('page_acknowledge', long, { secondPage: true }), never);
  expect(pagerDuty.incidents().map((one) => one.state)).toEqual(['acknowledged', 'acknowledged']);
  await receiver.deliver(aDelivery('page_resolve', long, { secondPage: true }), never);
  expect(pagerDuty.incidents().map((one) => one.state)).toEqual(['resolved', 'resolved']);
  pagerDuty.expectNoUnexpected();
});

test('a second page that can only be sent bare keeps its own key', async () => {
  const { receiver } = await setup();
  await receiver.deliverBare(aBareDelivery('page_again'), never);
  await receiver.deliverBare({ ...aBareDelivery('page_resolve'), secondPage: true }, never);

  expect(pagerDuty.incidents()).toMatchObject([{ dedupKey: `${'d'.repeat(64)}.2`, state: 'resolved' }]);
});

test('when one of two pages cannot be closed, both are tried again', async () => {
  const { receiver } = await setup();
  pagerDuty.failNext({ kind: 'status', status: 503 });

  const first = await receiver.deliver(aDelivery('page_resolve', aView(), { secondPage: true }), never);

  expect(first).toMatchObject({ kind: 'retry', reason: 'server_error' });
  expect(pagerDuty.events()).toHaveLength(0);
});

test('a page that another pager took without an answer says so', async () => {
  const { receiver } = await setup();
  const long = { startedAtMs: Date.now() - 31 * 60_000 };
  await receiver.deliver(aDelivery('page', aView({ episode: long, pagedReceivers: ['first'] })), never);

  expect(pagerDuty.incidents()[0]?.summary).toMatch(/^CRIT \(no ack 31m\) TTFT/);
});

test('the double tells a trigger after a resolve from a repeat', async () => {
  const { receiver } = await setup();
  await receiver.deliver(aDelivery('page', aView()), never);
  await receiver.deliver(aDelivery('page_resolve', aView()), never);
  await receiver.deliver(aDelivery('page', aView()), never);
  expect(pagerDuty.incidents()).toHaveLength(2);
  expect(() => pagerDuty.expectNoUnexpected()).toThrow(/trigger after resolve/);
});

describe('outcomes', () => {
  test.each([
    [401, 'dead', 'auth'],
    [403, 'dead', 'auth'],
    [404, 'dead', 'client_error'],
    [410, 'dead', 'client_error'],
    [408, 'retry', 'timeout'],
    [429, 'retry', 'rate_limited'],
    [500, 'retry', 'server_error'],
    [502, 'retry', 'server_error'],
    [503, 'retry', 'server_error'],
    [504, 'retry', 'server_error'],
    [520, 'retry', 'server_error'],
    [200, 'retry', 'bad_response'],
    [204, 'retry', 'bad_response'],
    [302, 'retry', 'redirect'],
    [307, 'retry', 'redirect'],
  ] as const)('HTTP %i is %s (%s)', async (status, kind, reason) => {
    const { receiver } = await setup();
    pagerDuty.failNext({ kind: 'status', status, headers: { location: 'http://169.254.169.254/' } }, 5);
    expect(await receiver.deliver(aDelivery('page', aView()), never)).toMatchObject({ kind, reason });
  });

  test.each([
    ['30', 30_000],
    ['0', 0],
    ['99999', 120_000],
    ['-5', undefined],
    ['1e9', undefined],
    ['soon', undefined],
  ])('Retry-After %s', async (header, afterMs) => {
    const { receiver } = await setup();
    pagerDuty.failNext({ kind: 'status', status: 429, headers: { 'retry-after': header } });
    const result = await receiver.deliver(aDelivery('page', aView()), never);
    expect(result).toMatchObject({ kind: 'retry' });
    expect((result as { afterMs?: number }).afterMs).toBe(afterMs);
  });

  test.each([400, 413, 422])(
    'a page refused with %i for its content is rejected; its bare form is taken',
    async (status) => {
      const { receiver } = await setup();
      pagerDuty.failNext({ kind: 'status', status, body: '{"status":"invalid event"}' });
      expect(await receiver.deliver(aDelivery('page', aView()), never)).toEqual({
        kind: 'rejected',
        detail: `HTTP ${status}: {"status":"invalid event"}`,
      });
      expect(await receiver.deliverBare(aBareDelivery('page'), never)).toMatchObject({ kind: 'sent' });
      expect(pagerDuty.incidents()).toMatchObject([
        {
          dedupKey: 'd'.repeat(64),
          summary: 'CRIT LLMHighTTFT llama-70b/prod-us. No details: it could not be drawn. INC-412',
        },
      ]);
      expect(pagerDuty.events()[0]?.payload).not.toHaveProperty('custom_details');
    },
  );

  test('a resolve refused with 400 is not repeated', async () => {
    const { receiver } = await setup();
    pagerDuty.failNext({ kind: 'status', status: 400 }, 5);
    expect(await receiver.deliver(aDelivery('page_resolve', aView()), never)).toMatchObject({ kind: 'dead' });
    expect(pagerDuty.requests()).toHaveLength(1);
  });

  test('a server that hangs is given up after five seconds', async () => {
    const { receiver } = await setup({ speed: 50 });
    pagerDuty.failNext({ kind: 'hang' });
    expect(await receiver.deliver(aDelivery('page', aView()), never)).toEqual({
      kind: 'retry',
      reason: 'timeout',
      detail: 'no answer within 5 s',
    });
  });

  test('a socket closed after it was processed is retried and collapses', async () => {
    const { receiver } = await setup();
    pagerDuty.failNext({ kind: 'close', processed: true });
    expect(await receiver.deliver(aDelivery('page', aView()), never)).toMatchObject({
      kind: 'retry',
      reason: 'unreachable',
    });
    expect(await receiver.deliver(aDelivery('page', aView(), { attempts: 2 }), never)).toMatchObject({
      kind: 'sent',
    });
    expect(pagerDuty.incidents()).toMatchObject([{ triggers: 2 }]);
  });

  test('a refused connection and a name that does not resolve are unreachable', async () => {
    const closed = await setup({ eventsUrl: 'http://127.0.0.1:1/v2/enqueue' });
    expect(await closed.receiver.deliver(aDelivery('page', aView()), never)).toMatchObject({
      kind: 'retry',
      reason: 'unreachable',
    });
    await pagerDuty.close();
    const nowhere = await setup({ eventsUrl: 'http://nowhere.invalid/v2/enqueue' });
    expect(await nowhere.receiver.deliver(aDelivery('page', aView()), never)).toMatchObject({
      kind: 'retry',
      reason: 'unreachable',
    });
  });

  test('an answer without end is read only so far', async () => {
    const { receiver } = await setup();
    pagerDuty.failNext({ kind: 'status', status: 500, body: 'x'.repeat(5_000_000) });
    const result = await receiver.deliver(aDelivery('page', aView()), never);
    expect(JSON.stringify(result).length).toBeLessThan(400);
  });

  test('a delivery that was called off ends at once', async () => {
    const { receiver } = await setup();
    pagerDuty.failNext({ kind: 'hang' });
    const controller = new AbortController();
    const result = receiver.deliver(aDelivery('page', aView()), controller.signal);
    controller.abort();
    expect(await result).toMatchObject({ kind: 'retry', reason: 'timeout' });
  });
});

test('the routing key appears in no result and no log line, even when PagerDuty echoes it', async () => {
  const { receiver, log } = await setup();
  const results: unknown[] = [];
  for (const status of [400, 401, 403, 429, 500]) {
    pagerDuty.failNext({ kind: 'status', status, body: `bad routing key ${KEY}` }, 2);
    results.push(await receiver.deliver(aDelivery('page', aView()), never));
    pagerDuty.heal();
  }
  pagerDuty.failNext({ kind: 'close' });
  results.push(await receiver.deliver(aDelivery('page', aView()), never));
  expect(JSON.stringify(results) + log.lines().join()).not.toContain(KEY);
  expect(JSON.stringify(results)).toContain('<secret>');
});
