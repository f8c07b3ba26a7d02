import { afterEach, describe, expect, test } from 'vitest';
import type { CardRef, DeliveryResult } from '../../src/domain/notification.js';
import { createSlackReceiver } from '../../src/receivers/slack.js';
import type { SlackConfig } from '../../src/receivers/slack-config.js';
import { aDiagnosis, aResolvedView, aVerdict, aView, FIRED_AT } from '../support/a-view.js';
import { type FakeSlack, startFakeSlack } from '../support/fake-slack.js';
import { aDelivery, fastClock, keptLog, never } from './receiver-setup.js';

const TOKEN = 'xoxb-MARKER-slack-token';
const later = aView({
  incident: {
    revision: 2,
    state: 'acknowledged',
    acknowledgedBy: 'mia',
    acknowledgedAtMs: FIRED_AT + 60_000,
  },
});

let slack: FakeSlack;
afterEach(() => slack.close());

async function setup(over: Partial<SlackConfig> & { speed?: number } = {}) {
  slack = await startFakeSlack({ token: TOKEN, nowMs: () => FIRED_AT });
  const { speed, ...config } = over;
  const log = keptLog();
  const receiver = createSlackReceiver(
    { name: 'team', botToken: TOKEN, channel: 'C0INCIDENTS', apiUrl: slack.url, mention: 'U0MIA', ...config },
    { publicUrl: 'https://wakewell.example', fetch: globalThis.fetch, clock: fastClock(speed), logger: log },
  );
  return { receiver, log };
}

function cardOf(result: DeliveryResult): CardRef {
  if (result.kind !== 'sent' || result.card === undefined)
    throw new Error(`no card in ${JSON.stringify(result)}`);
  return result.card;
}

test('one card is posted, updated in place, and left alone when nothing changed', async () => {
  const { receiver } = await setup();

  const card = cardOf(await receiver.deliver(aDelivery('card', aView()), never));
  expect(await receiver.deliver(aDelivery('card', aView(), { card }), never)).toMatchObject({
    kind: 'unchanged',
  });
  const acked = cardOf(await receiver.deliver(aDelivery('card', later, { card }), never));
  await receiver.deliver(aDelivery('card', aResolvedView(), { card: acked }), never);

  expect(slack.messages()).toMatchObject([
    {
      updates: 2,
      channel: 'C0INCIDENTS',
      metadata: { event_type: 'incident', event_payload: { id: 'INC-412', rev: 1 } },
    },
  ]);
  expect(slack.messages()[0]?.text).toMatch(/^OK TTFT p99 1.3s/);
  expect(JSON.stringify(slack.messages()[0]?.blocks)).toContain('RESOLVED');
  slack.expectNoUnexpected();
});

test('links are not unfurled and the token goes in the header alone', async () => {
  const { receiver } = await setup();
  await receiver.deliver(aDelivery('card', aView()), never);
  const [post] = slack.calls();
  expect(post).toMatchObject({
    method: 'chat.postMessage',
    token: TOKEN,
    args: { unfurl_links: 'false', unfurl_media: 'false' },
  });
  expect(slack.requests()[0]?.body).not.toContain(TOKEN);
});

describe('mentions', () => {
  const mentions = () => slack.calls().filter((one) => JSON.stringify(one.args).includes('U0MIA')).length;

  test('only the first post of a critical and the late verdict mention', async () => {
    const { receiver } = await setup();
    const card = cardOf(await receiver.deliver(aDelivery('card', aView({ diagnosis: null })), never));
    expect(mentions()).toBe(1);
    await receiver.deliver(aDelivery('card', aView({ incident: { revision: 2 } }), { card }), never);
    expect(mentions()).toBe(1);
    await receiver.deliver(aDelivery('verdict_reply', aView(), { card }), never);
    expect(mentions()).toBe(2);
    expect(slack.messages()[1]).toMatchObject({ threadTs: card.messageId });
  });

  test('a warning mentions nobody', async () => {
    const { receiver } = await setup();
    await receiver.deliver(aDelivery('card', aView({ incident: { severity: 'warning' } })), never);
    expect(mentions()).toBe(0);
  });

  test('a card first posted after the resolve mentions nobody', async () => {
    const { receiver } = await setup();
    await receiver.deliver(aDelivery('card', aResolvedView()), never);
    expect(mentions()).toBe(0);
  });
});

describe('a lost answer', () => {
  test('the message that stands already is adopted and not doubled', async () => {
    const { receiver } = await setup();
    slack.failNext({ kind: 'close', processed: true });
    expect(await receiver.deliver(aDelivery('card', aView()), never)).toMatchObject({ kind: 'retry' });
    expect(slack.messages()).toHaveLength(1);

    const card = cardOf(await receiver.deliver(aDelivery('card', aView(), { attempts: 2 }), never));

    expect(slack.messages()).toMatchObject([{ ts: card.messageId, updates: 1 }]);
    slack.expectNoUnexpected();
  });

  test('the card of another incident is not adopted', async () => {
    const { receiver } = await setup();
    await receiver.deliver(aDelivery('card', aView({ incident: { id: 411 } })), never);
    await receiver.deliver(aDelivery('card', aView(), { attempts: 2 }), never);
    expect(slack.messages()).toHaveLength(2);
  });

  test('without the scope to look, it is posted', async () => {
    const { receiver, log } = await setup();
    slack.failWith('missing_scope', 1, 'conversations.history');
    expect(await receiver.deliver(aDelivery('card', aView(), { attempts: 2 }), never)).toMatchObject({
      kind: 'sent',
    });
    expect(log.lines().join()).toContain('cannot be read');
  });

  test('a verdict reply that stands already is not doubled', async () => {
    const { receiver } = await setup();
    const card = cardOf(await receiver.deliver(aDelivery('card', aView()), never));
    slack.failNext({ kind: 'close', processed: true });
    await receiver.deliver(aDelivery('verdict_reply', aView(), { card }), never);
    expect(
      await receiver.deliver(aDelivery('verdict_reply', aView(), { card, attempts: 2 }), never),
    ).toMatchObject({ kind: 'sent' });
    expect(slack.messages()).toHaveLength(2);
  });

  test('a reminder says in the thread why it comes, with a mention, and is not doubled', async () => {
    const { receiver } = await setup();
    const text = 'Nobody has taken this for 1h: said again in inc-llm';
    const view = aView({
      incident: { severity: 'warning' },
      timeline: [
        { id: 9, incidentId: 412, atMs: FIRED_AT + 1, kind: 'reminded', text, actor: 'wakewell', via: null },
      ],
    });
    const card = cardOf(await receiver.deliver(aDelivery('card', view), never));
    slack.failNext({ kind: 'close', processed: true });
    await receiver.deliver(aDelivery('reminder_reply', view, { card }), never);
    await receiver.deliver(aDelivery('reminder_reply', view, { card, attempts: 2 }), never);

    const [, reply, ...others] = slack.messages();
    expect(others).toEqual([]);
    expect(JSON.stringify(reply)).toContain(text);
    expect(reply?.text).toMatch(/^<@U0MIA> WARN /);
  });

  test('a reply to no card is not needed: the card will show the verdict', async () => {
    const { receiver } = await setup();
    expect(await receiver.deliver(aDelivery('verdict_reply', aView()), never)).toMatchObject({
      kind: 'unchanged',
    });
    expect(slack.calls()).toHaveLength(0);
  });
});

describe('an alert is not lost to formatting', () => {
  test.each(['invalid_blocks', 'msg_too_long', 'msg_blocks_too_long'])(
    '%s: the text goes at once',
    async (error) => {
      const { receiver } = await setup();
      slack.failWith(error, 1, 'chat.postMessage');
      expect(await receiver.deliver(aDelivery('card', aView()), never)).toMatchObject({
        kind: 'sent',
        note: expect.stringContaining(error),
      });
      expect(slack.messages()).toMatchObject([
        { blocks: [], text: expect.stringContaining('Do NOT: Halve') },
      ]);
    },
  );

  test('an update refused for its blocks goes as text too', async () => {
    const { receiver } = await setup();
    const card = cardOf(await receiver.deliver(aDelivery('card', aView()), never));
    slack.failWith('invalid_blocks', 1, 'chat.update');
    await receiver.deliver(aDelivery('card', later, { card }), never);
    expect(slack.messages()).toMatchObject([{ blocks: [], updates: 1 }]);
  });
});

test.each(['message_not_found', 'cant_update_message'])(
  '%s on update: the card is posted anew, without a mention',
  async (error) => {
    const { receiver } = await setup();
    const card = cardOf(await receiver.deliver(aDelivery('card', aView()), never));
    slack.failWith(error, 1, 'chat.update');
    const anew = cardOf(await receiver.deliver(aDelivery('card', later, { card }), never));
    expect(anew.messageId).not.toBe(card.messageId);
    expect(JSON.stringify(slack.messages()[1]?.blocks)).not.toContain('U0MIA');
  },
);

describe('outcomes', () => {
  test.each([
    ['channel_not_found', 'dead', 'client_error'],
    ['not_in_channel', 'dead', 'client_error'],
    ['is_archived', 'dead', 'client_error'],
    ['invalid_auth', 'dead', 'auth'],
    ['account_inactive', 'dead', 'auth'],
    ['token_revoked', 'dead', 'auth'],
    ['missing_scope', 'dead', 'auth'],
    ['restricted_action', 'dead', 'client_error'],
    ['ratelimited', 'retry', 'rate_limited'],
    ['internal_error', 'retry', 'server_error'],
    ['fatal_error', 'retry', 'server_error'],
    ['service_unavailable', 'retry', 'server_error'],
    ['request_timeout', 'retry', 'server_error'],
  ] as const)('%s is %s (%s)', async (error, kind, reason) => {
    const { receiver } = await setup();
    slack.failWith(error, 5);
    expect(await receiver.deliver(aDelivery('card', aView(), { attempts: 1 }), never)).toMatchObject({
      kind,
      reason,
    });
  });

  test('a word that is not known is tried once more, then given up', async () => {
    const { receiver } = await setup();
    slack.failWith('brand_new_error', 9, 'chat.postMessage');
    expect(await receiver.deliver(aDelivery('card', aView(), { attempts: 1 }), never)).toMatchObject({
      kind: 'retry',
    });
    expect(await receiver.deliver(aDelivery('card', aView(), { attempts: 2 }), never)).toMatchObject({
      kind: 'dead',
    });
  });

  test.each([
    [
      { kind: 'status', status: 429, headers: { 'retry-after': '7' } },
      { kind: 'retry', reason: 'rate_limited', afterMs: 7000 },
    ],
    [
      { kind: 'status', status: 429 },
      { kind: 'retry', reason: 'rate_limited' },
    ],
    [
      { kind: 'status', status: 500 },
      { kind: 'retry', reason: 'server_error' },
    ],
    [
      { kind: 'status', status: 503, body: '<html>down</html>' },
      { kind: 'retry', reason: 'server_error' },
    ],
    [
      { kind: 'status', status: 200, body: '<html>proxy</html>' },
      { kind: 'retry', reason: 'bad_response' },
    ],
    [
      { kind: 'status', status: 200, body: '{"ok":true}' },
      { kind: 'retry', reason: 'bad_response' },
    ],
    [
      { kind: 'status', status: 302, headers: { location: 'http://169.254.169.254/' } },
      { kind: 'retry', reason: 'redirect' },
    ],
    [{ kind: 'close' }, { kind: 'retry', reason: 'unreachable' }],
    [{ kind: 'hang' }, { kind: 'retry', reason: 'timeout' }],
  ] as const)('%o', async (failure, expected) => {
    const { receiver } = await setup({ speed: failure.kind === 'hang' ? 25 : 1 });
    slack.failNext(failure);
    expect(await receiver.deliver(aDelivery('card', aView()), never)).toMatchObject(expected);
    // One call: the client itself must not retry.
    expect(slack.requests()).toHaveLength(1);
  });
});

test('the late verdict tells cause, first fix and wrong fix', async () => {
  const { receiver } = await setup();
  const view = aView({ diagnosis: aDiagnosis({ verdict: aVerdict({ says: 'KV cache full' }) }) });
  const card = cardOf(await receiver.deliver(aDelivery('card', view), never));
  await receiver.deliver(aDelivery('verdict_reply', view, { card }), never);
  const reply = JSON.stringify(slack.messages()[1]?.blocks);
  expect(reply).toContain('Likely cause: KV cache full');
  expect(reply).toContain('Do first:');
  expect(reply).toContain('Do NOT:');
});

test('the token appears in no result and no log line', async () => {
  const { receiver, log } = await setup();
  const results: unknown[] = [];
  for (const body of [`{"ok":false,"error":"invalid_auth ${TOKEN}"}`, `<html>${TOKEN}</html>`, '{']) {
    slack.failNext({ kind: 'status', status: 200, body });
    results.push(await receiver.deliver(aDelivery('card', aView(), { attempts: 1 }), never));
  }
  slack.failNext({ kind: 'close' });
  results.push(await receiver.deliver(aDelivery('card', aView()), never));
  expect(JSON.stringify(results) + log.lines().join()).not.toContain(TOKEN);
});

test('the double refuses what Slack would', async () => {
  slack = await startFakeSlack();
  const post = async (method: string, args: Record<string, string>) => {
    const response = await fetch(`${slack.url}${method}`, {
      method: 'POST',
      body: new URLSearchParams(args),
    });
    return (await response.json()) as { ok: boolean; error?: string };
  };
  const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });
  expect(
    await post('chat.postMessage', {
      channel: 'C0INCIDENTS',
      blocks: JSON.stringify([section('x'.repeat(3001))]),
    }),
  ).toMatchObject({ error: 'invalid_blocks' });
  expect(
    await post('chat.postMessage', {
      channel: 'C0INCIDENTS',
      blocks: JSON.stringify(Array(51).fill(section('x'))),
    }),
  ).toMatchObject({ error: 'invalid_blocks' });
  expect(await post('chat.postMessage', { channel: 'C0ELSE', text: 'x' })).toMatchObject({
    error: 'channel_not_found',
  });
  expect(await post('files.upload', {})).toMatchObject({ ok: false });
  expect(() => slack.expectNoUnexpected()).toThrow(/files.upload/);
});
