/** What reaches the Slack addresses beside what Slack sends: after each case exactly these acts, messages and calls. */

import { describe, expect, test } from 'vitest';
import { SECOND } from '../../src/domain/clock.js';
import type { SlackApp } from '../../src/slack/slack-apps.js';
import { type Aftermath, type Sent, slackHarness } from '../slack/slack-harness.js';
import { commandBody, pressBody, SIGNING_SECRET, slackHeaders } from '../support/signed-slack.js';

type Harness = Awaited<ReturnType<typeof slackHarness>>;
type Case = {
  readonly name: string;
  readonly app?: Partial<SlackApp>;
  readonly send: (h: Harness) => Promise<Sent>;
  readonly leaves: Aftermath;
};

const PRESS = '/slack/interactions';
const COMMAND = '/slack/commands';

const nothing = (status: number, told: readonly string[] = []): Aftermath => ({
  status,
  state: 'open',
  acts: [],
  messages: [],
  told,
  forms: 0,
});
const refused = nothing;
const ACKED: Aftermath = {
  status: 200,
  state: 'acknowledged',
  acts: ['mia acknowledged Slack (U0MIA)'],
  messages: ['page_acknowledge pager queued', 'card slack queued'],
  told: [],
  forms: 0,
};

/** A press on Acknowledge with other headers. */
const withHeaders =
  (
    change: (
      right: ReturnType<typeof slackHeaders>,
      body: string,
      nowMs: number,
    ) => Record<string, string | string[]>,
  ) =>
  async (h: Harness) => {
    const body = pressBody(await h.valueOf('ack'));
    return h.send(PRESS, body, change(slackHeaders(body, h.clock.now()), body, h.clock.now()));
  };
/** The same at another time, rightly signed for it. */
const signedAt = (offsetMs: number) =>
  withHeaders((_right, body, nowMs) => slackHeaders(body, nowMs + offsetMs));
const withTime = (time: string) => withHeaders((right) => ({ ...right, 'x-slack-request-timestamp': time }));
/** A signed press whose payload has other parts. */
const pressWith = (over: Readonly<Record<string, unknown>>) => async (h: Harness) =>
  h.signed(PRESS, pressBody(await h.valueOf('ack'), over));
const raw = (path: string, body: string) => (h: Harness) => h.signed(path, body);

const CASES: readonly Case[] = [
  { name: 'as Slack sends it', send: withHeaders((right) => right), leaves: ACKED },
  { name: 'no signature', send: withHeaders(() => ({})), leaves: refused(401) },
  {
    name: 'a signature of version v1',
    send: withHeaders((right) => ({
      ...right,
      'x-slack-signature': right['x-slack-signature'].replace('v0=', 'v1='),
    })),
    leaves: refused(401),
  },
  {
    name: 'a signature in capital letters',
    send: withHeaders((right) => ({
      ...right,
      'x-slack-signature': `v0=${right['x-slack-signature'].slice(3).toUpperCase()}`,
    })),
    leaves: refused(401),
  },
  {
    name: 'a signature that is too short',
    send: withHeaders((right) => ({
      ...right,
      'x-slack-signature': right['x-slack-signature'].slice(0, -2),
    })),
    leaves: refused(401),
  },
  {
    name: 'a signature that is too long',
    send: withHeaders((right) => ({ ...right, 'x-slack-signature': `${right['x-slack-signature']}00` })),
    leaves: refused(401),
  },
  {
    name: 'two signatures, one right',
    send: withHeaders((right) => ({
      ...right,
      'x-slack-signature': [right['x-slack-signature'], `v0=${'0'.repeat(64)}`],
    })),
    leaves: refused(401),
  },
  {
    name: 'two times, both right',
    send: withHeaders((right) => ({
      ...right,
      'x-slack-request-timestamp': [right['x-slack-request-timestamp'], right['x-slack-request-timestamp']],
    })),
    leaves: refused(401),
  },
  {
    name: 'a signature by another secret',
    send: withHeaders((_right, body, nowMs) => slackHeaders(body, nowMs, 'another-secret-0123456789')),
    leaves: refused(401),
  },
  {
    name: 'no time',
    send: withHeaders((right) => ({ 'x-slack-signature': right['x-slack-signature'] })),
    leaves: refused(401),
  },
  { name: 'a time that is a word', send: withTime('abc'), leaves: refused(401) },
  { name: 'a time with an exponent', send: withTime('1e9'), leaves: refused(401) },
  { name: 'a negative time', send: withTime('-1795305061'), leaves: refused(401) },
  { name: 'a time with a fraction', send: withTime('1795305061.5'), leaves: refused(401) },
  { name: 'a time of 301 s ago', send: signedAt(-301 * SECOND), leaves: refused(401) },
  { name: 'a time in 301 s', send: signedAt(301 * SECOND), leaves: refused(401) },
  { name: 'a time of 300 s ago', send: signedAt(-300 * SECOND), leaves: ACKED },
  { name: 'a time in 300 s', send: signedAt(300 * SECOND), leaves: ACKED },
  {
    name: 'one byte changed after it was signed',
    async send(h) {
      const body = pressBody(await h.valueOf('ack'));
      return h.send(PRESS, body.replace('U0MIA', 'U0MIB'), slackHeaders(body, h.clock.now()));
    },
    leaves: refused(401),
  },
  {
    name: 'the same fields in another encoding',
    async send(h) {
      const body = pressBody(await h.valueOf('ack'), { note: 'a b' });
      return h.send(PRESS, body.replaceAll('+', '%20'), slackHeaders(body, h.clock.now()));
    },
    leaves: refused(401),
  },
  {
    name: 'an exact copy of an earlier press',
    async send(h) {
      const body = pressBody(await h.valueOf('ack'));
      const headers = slackHeaders(body, h.clock.now());
      await h.send(PRESS, body, headers);
      await h.clock.advance(10 * SECOND);
      return h.send(PRESS, body, headers);
    },
    leaves: { ...ACKED, status: 401 },
  },
  {
    name: 'an exact copy of an earlier command that only reads',
    async send(h) {
      const body = commandBody('list');
      const headers = slackHeaders(body, h.clock.now());
      await h.send(COMMAND, body, headers);
      return h.send(COMMAND, body, headers);
    },
    leaves: refused(401),
  },
  { name: 'no payload', send: raw(PRESS, 'other=1'), leaves: refused(400) },
  { name: 'an empty body', send: raw(PRESS, ''), leaves: refused(400) },
  { name: 'a payload that is no JSON', send: raw(PRESS, 'payload=%7Bx'), leaves: refused(400) },
  {
    name: 'two payloads',
    async send(h) {
      const body = pressBody(await h.valueOf('ack'));
      return h.signed(PRESS, `${body}&${body}`);
    },
    leaves: refused(400),
  },
  { name: 'a payload of an unknown type', send: pressWith({ type: 'shortcut' }), leaves: nothing(200) },
  { name: 'no action', send: pressWith({ actions: [] }), leaves: refused(400) },
  {
    name: 'two actions',
    send: pressWith({ actions: [{ value: 'ack.1.1.1.critical' }, { value: 'ack.1.1.1.critical' }] }),
    leaves: refused(400),
  },
  {
    name: 'an action that no card has',
    send: pressWith({ actions: [{ action_id: 'inc.delete', value: 'delete.1.1.1.critical' }] }),
    leaves: nothing(200, ['This button is not known here: use the newest card of the incident.']),
  },
  {
    name: 'an action with the prototype for a name',
    send: pressWith({ actions: [{ value: 'constructor.1.1.1.critical' }] }),
    leaves: nothing(200, ['This button is not known here: use the newest card of the incident.']),
  },
  {
    name: 'another app',
    app: { appId: 'A0APP' },
    send: pressWith({ api_app_id: 'A0OTHER' }),
    leaves: refused(403),
  },
  {
    name: 'another workspace',
    app: { teams: ['T0TEAM'] },
    send: pressWith({ team: { id: 'T0OTHER' } }),
    leaves: refused(403),
  },
  {
    name: 'an enterprise without a workspace, where workspaces are named',
    app: { teams: ['T0TEAM'] },
    send: pressWith({ team: null, enterprise: { id: 'E0OTHER' } }),
    leaves: refused(403),
  },
  {
    name: 'a guest of a shared channel',
    send: pressWith({ user: { id: 'U0GUEST', name: 'guest', team_id: 'T0OTHER' } }),
    leaves: refused(403),
  },
  {
    name: 'a member nobody has seen before',
    send: pressWith({ user: { id: 'U0NEW', name: 'new' } }),
    leaves: { ...ACKED, acts: ['new acknowledged Slack (U0NEW)'] },
  },
  {
    name: 'a member without a name',
    send: pressWith({ user: { id: 'U0NEW' } }),
    leaves: { ...ACKED, acts: ['U0NEW acknowledged Slack (U0NEW)'] },
  },
  {
    name: 'a name that would ping everybody',
    send: pressWith({ user: { id: 'U0EVIL', name: '<!channel>\n*x*' } }),
    leaves: { ...ACKED, acts: ['<!channel> *x* acknowledged Slack (U0EVIL)'] },
  },
  { name: 'a bot', send: pressWith({ user: { id: 'B0BOT', name: 'bot' } }), leaves: refused(403) },
  { name: 'nobody', send: pressWith({ user: {} }), leaves: refused(400) },
  {
    name: 'a version that is out of date',
    async send(h) {
      const value = await h.valueOf('resolve');
      await h.press('rerun', { response_url: undefined });
      return h.signed(PRESS, pressBody(value));
    },
    leaves: {
      ...nothing(200, [
        'Not done: INC-1 changed since that was drawn. It is open and critical; its card is being redrawn. Look at it, then press again.',
      ]),
      acts: ['mia diagnosis_asked Slack (U0MIA)'],
      messages: ['card slack queued'],
    },
  },
  {
    name: 'an incident that does not exist',
    send: pressWith({ actions: [{ value: 'ack.7.7.1.critical' }] }),
    leaves: nothing(200, ['There is no INC-7.']),
  },
  {
    // Any member of the workspace may act, whatever channel the card stands in.
    name: 'a press in another channel than the card',
    send: pressWith({ channel: { id: 'C0OTHER' }, message: { ts: '1.1' } }),
    leaves: ACKED,
  },
  ...[
    'http://169.254.169.254/latest/meta-data/',
    'http://hooks.slack.com/actions/T/1/x',
    'https://hooks.slack.com@169.254.169.254/x',
    'https://user:password@hooks.slack.com/x',
    'https://hooks.slack.com.evil.example/x',
    'https://hooks.slack.com:8443/x',
    'https://evil.example/?https://hooks.slack.com/',
    'file:///etc/passwd',
    'nonsense',
  ].map((url) => ({
    // The act counts; nobody is called. The fake refuses, and reports, every address but Slack's.
    name: `response_url ${url}`,
    send: (h: Harness) => h.press('rerun', { response_url: url }),
    leaves: {
      ...nothing(200),
      acts: ['mia diagnosis_asked Slack (U0MIA)'],
      messages: ['card slack queued'],
    },
  })),
  {
    name: 'a body of 1 MB',
    send: (h) => h.signed(PRESS, `payload=${'x'.repeat(1_000_000)}`),
    leaves: refused(413),
  },
  {
    name: 'a body of 255 KiB is read',
    send: (h) => h.signed(PRESS, `payload=${'x'.repeat(255 * 1024)}`),
    leaves: refused(400),
  },
  {
    name: 'a command with markup, SQL and shell in it',
    send: raw(COMMAND, commandBody("note 1 <!channel> ' or 1=1;-- $(reboot) `id`")),
    leaves: {
      ...nothing(200),
      acts: ['mia note Slack (U0MIA)'],
      messages: ['card slack queued'],
    },
  },
  {
    name: 'a command of a bot',
    send: raw(COMMAND, commandBody('ack 1', { user_id: undefined })),
    leaves: refused(403),
  },
  { name: 'the certificate check', send: raw(COMMAND, 'ssl_check=1&token=x'), leaves: nothing(200) },
  {
    name: 'a certificate check that is none',
    send: raw(COMMAND, 'ssl_check=true&token=x'),
    leaves: refused(403),
  },
  {
    name: 'an event that Slack sends again',
    async send(h) {
      const body = JSON.stringify({ type: 'event_callback', event_id: 'Ev1', event: { type: 'message' } });
      const again = { 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'http_timeout' };
      await h.signed('/slack/events', body);
      await h.clock.advance(10 * SECOND);
      return h.send('/slack/events', body, { ...slackHeaders(body, h.clock.now()), ...again });
    },
    leaves: nothing(200),
  },
  { name: 'an event that is no JSON', send: raw('/slack/events', '{'), leaves: refused(400) },
  {
    name: 'an event without a signature',
    send: (h) => h.send('/slack/events', '{"type":"url_verification","challenge":"x"}', {}),
    leaves: refused(401),
  },
];

describe('C7', () => {
  test.each(CASES.map((one) => [one.name, one] as const))('%s', async (_name, { app, send, leaves }) => {
    const h = await slackHarness(app === undefined ? {} : { app });

    const sent = await send(h);

    expect(await h.aftermath(sent)).toEqual(leaves);
    expect(JSON.stringify([h.log.lines(), sent.text])).not.toContain(SIGNING_SECRET);
  });

  test('the address is proven by echoing the challenge', async () => {
    const h = await slackHarness();

    const sent = await h.signed('/slack/events', '{"type":"url_verification","challenge":"3eZbrw1aB"}');

    expect(sent).toEqual({ status: 200, text: '{"challenge":"3eZbrw1aB"}' });
  });

  test('what a name or a note holds pings nobody when it is said again', async () => {
    const h = await slackHarness();
    await h.aftermath(await h.press('ack', { user: { id: 'U0EVIL', name: '<!channel>' } }));

    await h.aftermath(await h.press('ack'));
    const listed = await h.command('list');

    expect(h.slack.responses().map(({ text }) => text)).toEqual([
      'INC-1 is already acknowledged by &lt;!channel&gt; 0s ago.',
    ]);
    expect(listed).toContain('by &lt;!channel&gt;');
  });
});
