/**
 * The one contract that every receiver keeps, against a provider that is a bare socket: each standard status,
 * bodies of any kind, redirects, silence, and hostile text on the way out. A log has no provider.
 */

import { STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { WebAPIPlatformError } from '@slack/web-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labelsFrom } from '../../src/domain/labels.js';
import type { DeliveryResult, Purpose } from '../../src/domain/notification.js';
import { createLogReceiver } from '../../src/receivers/log.js';
import { createPagerDutyReceiver } from '../../src/receivers/pagerduty.js';
import type { Receiver } from '../../src/receivers/receiver.js';
import { createSlackReceiver } from '../../src/receivers/slack.js';
import { slackFailure } from '../../src/receivers/slack-outcome.js';
import { createWebhookReceiver } from '../../src/receivers/webhook.js';
import { anIncidentAlert, aView } from '../support/a-view.js';
import { aBareDelivery, aDelivery, fastClock, keptLog, never } from './receiver-setup.js';

const SECRETS = {
  key: 'MARKERkey0123456789abcdef0123456',
  token: 'xoxb-MARKER-token',
  url: 'MARKER-in-url',
  signing: 'MARKER-signing',
};

/** What the provider does with a whole request. */
type Reply = (socket: Socket) => void;

const provider = {
  reply: (() => {}) as Reply,
  requests: [] as string[],
  elsewhere: [] as string[],
  url: '',
  elsewhereUrl: '',
};
const servers: ReturnType<typeof createServer>[] = [];
const sockets = new Set<Socket>();

async function listen(take: (request: string, socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      const head = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (head < 0 || Buffer.byteLength(text.slice(head + 4)) < length) return;
      const whole = text;
      text = '';
      take(whole, socket);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  provider.url = await listen((request, socket) => {
    provider.requests.push(request);
    provider.reply(socket);
  });
  provider.elsewhereUrl = await listen((request, socket) => {
    provider.elsewhere.push(request);
    socket.end('HTTP/1.1 202 Accepted\r\ncontent-length: 11\r\n\r\n{"ok":true}');
  });
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

function answer(status: number, body = '', headers: Record<string, string> = {}): Reply {
  const lines = Object.entries({
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
    ...headers,
  });
  const text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  const hasBody = status >= 200 && status !== 204 && status !== 304;
  return (socket) => socket.end(text + (hasBody ? body : ''));
}

type Contract = {
  readonly name: string;
  readonly purpose: Purpose;
  /** What it sends and its provider may echo. */
  readonly secrets: readonly string[];
  readonly make: (speed: number) => { receiver: Receiver; log: ReturnType<typeof keptLog> };
  /** Statuses that mean acceptance, with this body. */
  readonly accepts: (status: number) => boolean;
  readonly acceptedBody: string;
  /** Statuses after which the bare form is sent. */
  readonly rejects: (status: number) => boolean;
  /** A refusal at the first attempt is not believed yet. */
  readonly doubtsRefusals: boolean;
};

const deps = (speed: number) => {
  const log = keptLog();
  return {
    log,
    deps: {
      publicUrl: 'https://wakewell.example',
      fetch: globalThis.fetch,
      clock: fastClock(speed),
      logger: log,
    },
  };
};

const CONTRACTS: readonly Contract[] = [
  {
    name: 'pagerduty',
    purpose: 'page',
    secrets: [SECRETS.key],
    make(speed) {
      const { log, deps: d } = deps(speed);
      return {
        log,
        receiver: createPagerDutyReceiver(
          { name: 'r', routingKey: SECRETS.key, eventsUrl: `${provider.url}/v2/enqueue` },
          d,
        ),
      };
    },
    accepts: (status) => status === 202,
    acceptedBody: '{"status":"success"}',
    rejects: (status) => [400, 413, 422].includes(status),
    doubtsRefusals: false,
  },
  {
    name: 'slack',
    purpose: 'card',
    secrets: [SECRETS.token],
    make(speed) {
      const { log, deps: d } = deps(speed);
      return {
        log,
        receiver: createSlackReceiver(
          {
            name: 'r',
            botToken: SECRETS.token,
            channel: 'C1',
            apiUrl: `${provider.url}/api/`,
            mention: 'U0MIA',
          },
          d,
        ),
      };
    },
    accepts: (status) => status === 200,
    acceptedBody: '{"ok":true,"ts":"1.2","channel":"C1"}',
    rejects: () => false,
    doubtsRefusals: true,
  },
  {
    name: 'webhook',
    purpose: 'webhook',
    secrets: [SECRETS.url, SECRETS.signing],
    make(speed) {
      const { log, deps: d } = deps(speed);
      return {
        log,
        receiver: createWebhookReceiver(
          { name: 'r', url: `${provider.url}/${SECRETS.url}`, secret: SECRETS.signing },
          d,
        ),
      };
    },
    accepts: (status) => status >= 200 && status < 300,
    acceptedBody: 'ok',
    rejects: () => false,
    doubtsRefusals: false,
  },
];

/** Each code that Node knows and those of proxies, but for the informational ones, after which an answer still follows. */
const STATUSES = [
  ...Object.keys(STATUS_CODES)
    .map(Number)
    .filter((status) => status >= 200),
  420,
  444,
  499,
  520,
  521,
  522,
  523,
  524,
  525,
  526,
  530,
  599,
];

function expected(contract: Contract, status: number): { kind: DeliveryResult['kind']; reason?: string } {
  if (contract.accepts(status)) return { kind: 'sent' };
  if (contract.rejects(status)) return { kind: 'rejected' };
  if (status === 429) return { kind: 'retry', reason: 'rate_limited' };
  // fetch itself takes this one for a failure of the way there.
  if (status === 407) return { kind: 'retry', reason: 'unreachable' };
  if (status === 408 || status === 425) return { kind: 'retry', reason: 'timeout' };
  if (status >= 500) return { kind: 'retry', reason: 'server_error' };
  if (status >= 300 && status < 400) return { kind: 'retry', reason: 'redirect' };
  if (status >= 400) {
    const reason = status === 401 || status === 403 ? 'auth' : 'client_error';
    return { kind: contract.doubtsRefusals ? 'retry' : 'dead', reason };
  }
  return { kind: 'retry', reason: 'bad_response' };
}

describe.each(CONTRACTS)('$name', (contract) => {
  const deliver = async (reply: Reply, speed = 1) => {
    const { receiver, log } = contract.make(speed);
    provider.reply = reply;
    provider.requests.length = 0;
    provider.elsewhere.length = 0;
    const result = await receiver.deliver(aDelivery(contract.purpose, aView()), never);
    const said = JSON.stringify(result) + log.lines().join();
    expect(said, 'no secret is told').not.toContain('MARKER');
    return result;
  };

  test(`each of ${STATUSES.length} statuses, with its own body, with HTML and with none, is of one class`, async () => {
    for (const status of STATUSES) {
      for (const body of [contract.acceptedBody, `<html>${contract.secrets.join(' ')}</html>`, '']) {
        const result = await deliver(answer(status, body));
        const isOwn = body === contract.acceptedBody;
        // Slack says in the body what it accepted: a 200 without that is no acceptance.
        if (contract.name === 'slack' && status === 200 && !isOwn)
          expect(result, `${status} ${body}`).toMatchObject({ kind: 'retry', reason: 'bad_response' });
        else expect(result, `${status} ${body.slice(0, 20)}`).toMatchObject(expected(contract, status));
        // After 421 fetch asks once more by itself, of the same server and with the same key.
        expect(provider.requests, `${status}: never a call of its own accord`).toHaveLength(
          status === 421 ? 2 : 1,
        );
      }
    }
  });

  test.each([301, 302, 303, 307, 308])(
    'a %i is not followed, and nothing of ours goes there',
    async (status) => {
      const result = await deliver(answer(status, '', { location: `${provider.elsewhereUrl}/stolen` }));
      expect(result).toMatchObject({ kind: 'retry', reason: 'redirect' });
      expect(provider.elsewhere).toEqual([]);
    },
  );

  test.each<[string, Reply]>([
    ['no answer', () => {}],
    ['a status line and nothing more', (socket) => void socket.write('HTTP/1.1 200 OK\r\n')],
    [
      'a body that trickles',
      (socket) => {
        socket.write('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 1000\r\n\r\n');
        const timer = setInterval(() => socket.write('x'), 10);
        socket.on('close', () => clearInterval(timer));
      },
    ],
    ['103 Early Hints and silence', (socket) => void socket.write('HTTP/1.1 103 Early Hints\r\n\r\n')],
  ])('%s: given up after five seconds', async (_name, reply) => {
    // Twenty times faster than life.
    expect(await deliver(reply, 20)).toMatchObject({
      kind: 'retry',
      reason: 'timeout',
      detail: 'no answer within 5 s',
    });
  });

  test.each<[string, Reply]>([
    ['a reset', (socket) => socket.resetAndDestroy()],
    ['100 Continue that nobody asked for', (socket) => void socket.write('HTTP/1.1 100 Continue\r\n\r\n')],
    ['a close without an answer', (socket) => socket.end()],
    ['what is no HTTP', (socket) => socket.end('220 mail.example ESMTP\r\n')],
    ['a status of 0', (socket) => socket.end('HTTP/1.1 000 Nothing\r\n\r\n')],
    [
      'switching protocols',
      (socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    ],
    ['a length that lies', (socket) => socket.end('HTTP/1.1 500 Oops\r\ncontent-length: 5000\r\n\r\nshort')],
  ])('%s is tried again', async (_name, reply) => {
    expect(await deliver(reply, 20)).toMatchObject({ kind: 'retry' });
  });

  test('an oversized answer is read only so far', async () => {
    let taken = 0;
    const result = await deliver((socket) => {
      socket.write('HTTP/1.1 500 Oops\r\nconnection: close\r\n\r\n');
      const more = () => {
        if (socket.destroyed) return;
        taken += 65_536;
        socket.write('x'.repeat(65_536), () => setImmediate(more));
      };
      more();
    });
    expect(result).toMatchObject({ kind: 'retry', reason: 'server_error' });
    expect(JSON.stringify(result).length).toBeLessThan(500);
    expect(taken).toBeLessThan(32 * 1024 * 1024);
  });

  test.each([
    ['30', 30_000],
    ['0', 0],
    ['99999', 120_000],
    ['-5', null],
    ['soon', null],
  ] as const)('Retry-After %s of a 503', async (value, afterMs) => {
    const result = await deliver(answer(503, '', { 'retry-after': value }));
    expect('afterMs' in result ? result.afterMs : null).toBe(afterMs);
  });

  test('a delivery that is called off ends at once', async () => {
    const { receiver } = contract.make(1);
    provider.reply = () => {};
    const controller = new AbortController();
    const result = receiver.deliver(aDelivery(contract.purpose, aView()), controller.signal);
    setTimeout(() => controller.abort(), 20);
    expect(await result).toMatchObject({ kind: 'retry' });
  });

  test('the bare form keeps the same contract', async () => {
    const { receiver } = contract.make(1);
    provider.reply = answer(503);
    expect(await receiver.deliverBare(aBareDelivery(contract.purpose), never)).toMatchObject({
      kind: 'retry',
      reason: 'server_error',
    });
    provider.reply = answer(contract.name === 'slack' ? 200 : 202, contract.acceptedBody);
    expect(await receiver.deliverBare(aBareDelivery(contract.purpose), never)).toMatchObject({
      kind: 'sent',
    });
  });

  test.each(HOSTILE())('hostile text goes out harmless and within limits: %s', async (_name, text) => {
    const { receiver } = contract.make(1);
    const view = aView({
      diagnosis: null,
      incident: {
        alertName: text,
        scope: labelsFrom([
          ['model', text],
          ['cluster', text],
        ]),
      },
      alerts: [
        anIncidentAlert({
          name: text,
          labels: labelsFrom([
            ['alertname', text],
            ['pod', text],
          ]),
          annotations: labelsFrom([['summary', text]]),
        }),
      ],
    });
    provider.reply = answer(contract.name === 'slack' ? 200 : 202, contract.acceptedBody);
    for (const send of [
      () => receiver.deliver(aDelivery(contract.purpose, view), never),
      () =>
        receiver.deliverBare(
          aBareDelivery(contract.purpose, { alertName: text, scope: labelsFrom([['model', text]]) }),
          never,
        ),
    ]) {
      provider.requests.length = 0;
      expect(await send()).toMatchObject({ kind: 'sent' });
      const body = (provider.requests[0] ?? '').split('\r\n\r\n').slice(1).join('\r\n\r\n');
      expect(Buffer.byteLength(body)).toBeLessThan(512_000);
      if (contract.name === 'slack') expectSlackLimits(body);
      if (contract.name === 'pagerduty') expectPagerLimits(body);
    }
  });
});

function HOSTILE(): [string, string][] {
  return [
    ['pings', '<!channel> <!here> <@U123> <!subteam^S1> @channel'],
    ['a link', '<https://evil.example|runbook>'],
    ['an escaped ping', '&lt;!channel&gt;'],
    ['controls', 'a\u202Eb\u200B\u001B[2J\r\n{"level":"error"}\u0000'],
    ['markup', '*_~`` ``` <script>alert(1)</script> "><img src=x>'],
    ['a lone surrogate', '\ud800x'],
    ['a megabyte', 'x'.repeat(1_000_000)],
    ['many emoji', '👩‍👩‍👧‍👦'.repeat(2_000)],
    ['nothing', ''],
  ];
}

function expectSlackLimits(body: string): void {
  const form = new URLSearchParams(body);
  const blocks = JSON.parse(form.get('blocks') ?? '[]') as {
    text?: { text: string };
    elements?: { text?: unknown }[];
  }[];
  expect(blocks.length).toBeLessThanOrEqual(50);
  for (const block of blocks) expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(3_000);
  expect((form.get('text') ?? '').length).toBeLessThan(4_000);
  const all = `${form.get('text')}${JSON.stringify(blocks)}`.replaceAll('<@U0MIA>', '');
  expect(all).not.toMatch(/<!(?!date\^)|<@|<https:\/\/evil/);
}

function expectPagerLimits(body: string): void {
  const event = JSON.parse(body) as { dedup_key: string; payload: { summary: string; source: string } };
  expect([...event.payload.summary].length).toBeLessThanOrEqual(1_024);
  expect(event.payload.source).not.toBe('');
  expect(event.dedup_key.length).toBeLessThanOrEqual(255);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may reach a phone.
  expect(event.payload.summary).not.toMatch(/[\u0000-\u001f\u202a-\u202e\u200b]/);
}

/** Slack's words for what is wrong: docs.slack.dev/reference/methods/chat.postMessage and chat.update, "Errors". */
const WORDS: Readonly<Record<'auth' | 'client_error' | 'rate_limited' | 'server_error', readonly string[]>> =
  {
    auth: [
      'invalid_auth',
      'not_authed',
      'account_inactive',
      'token_revoked',
      'token_expired',
      'no_permission',
      'missing_scope',
      'not_allowed_token_type',
      'ekm_access_denied',
      'org_login_required',
      'access_denied',
      'team_access_not_granted',
    ],
    client_error: [
      'channel_not_found',
      'not_in_channel',
      'is_archived',
      'restricted_action',
      'restricted_action_read_only_channel',
      'restricted_action_thread_only_channel',
      'restricted_action_non_threadable_channel',
      'thread_not_found',
      'cannot_reply_to_message',
      'invalid_arguments',
      'invalid_arg_name',
      'unknown_method',
      'method_deprecated',
      'method_not_supported_for_channel_type',
      'user_not_found',
      'invalid_blocks',
      'invalid_blocks_format',
      'msg_too_long',
      'msg_blocks_too_long',
      'invalid_metadata_format',
      'invalid_metadata_schema',
      'metadata_too_large',
      'invalid_attachments',
      'no_text',
      'message_not_found',
      'cant_update_message',
      'edit_window_closed',
    ],
    rate_limited: ['ratelimited', 'rate_limited', 'message_limit_exceeded'],
    server_error: [
      'internal_error',
      'fatal_error',
      'service_unavailable',
      'request_timeout',
      'team_added_to_org',
    ],
  };

test('47 words of Slack are classified, as refusals at once or as something that passes', () => {
  let count = 0;
  for (const [reason, words] of Object.entries(WORDS)) {
    for (const word of words) {
      const { outcome } = slackFailure(new WebAPIPlatformError({ ok: false, error: word }), {
        attempts: 1,
        token: SECRETS.token,
        nowMs: 0,
      });
      const kind = reason === 'auth' || reason === 'client_error' ? 'dead' : 'retry';
      expect(outcome, word).toMatchObject({ kind, reason });
      count += 1;
    }
  }
  expect(count).toBe(47);
});

test('a log takes every purpose, and never more than a line of it', async () => {
  const log = keptLog();
  const receiver = createLogReceiver({ name: 'journal' }, { publicUrl: null, logger: log });
  for (const [, text] of HOSTILE()) {
    const view = aView({
      diagnosis: null,
      incident: { alertName: text, scope: labelsFrom([['model', text]]) },
    });
    expect(await receiver.deliver(aDelivery('log', view), never)).toMatchObject({ kind: 'sent' });
    expect(await receiver.deliverBare(aBareDelivery('page', { alertName: text }), never)).toMatchObject({
      kind: 'sent',
    });
  }
  expect(log.lines().every((line) => !line.includes('\n'))).toBe(true);
});
