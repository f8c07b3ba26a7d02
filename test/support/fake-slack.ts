/**
 * Slack's Web API as far as Wakewell uses it: auth.test, chat.postMessage, chat.update, conversations.history,
 * conversations.replies, reactions.add, views.open. Bodies are form-urlencoded with JSON in `blocks`, `metadata` and
 * `view`, answers are HTTP 200 with `ok`. Beside it stands hooks.slack.com, where a response_url may be used five
 * times. Block Kit limits are enforced.
 */

import { blockFaults, viewFaults } from './block-kit.js';
import { type Answer, type FakeRequest, type FakeServer, startHttpFake } from './http-fake.js';
import { createSlackLimits } from './slack-limits.js';

/** Where hooks.slack.com is, here. */
const HOOKS = '/hooks';

export type SlackMessage = {
  readonly channel: string;
  readonly ts: string;
  readonly threadTs: string | null;
  text: string;
  blocks: readonly Record<string, unknown>[];
  readonly metadata: { readonly event_type: string; readonly event_payload: Record<string, unknown> } | null;
  /** How often it was updated in place. */
  updates: number;
};

export type SlackCall = {
  readonly method: string;
  readonly args: Readonly<Record<string, string>>;
  readonly token: string;
};

export type FakeSlack = Omit<FakeServer, 'url'> & {
  /** The base for `slackApiUrl`, ending in a slash. */
  readonly url: string;
  readonly messages: () => readonly SlackMessage[];
  readonly calls: () => readonly SlackCall[];
  /** How many calls came above a rate limit and were answered 429. */
  readonly rateLimited: () => number;
  /** The next `times` calls of a method (any when absent) answer `ok: false` with this error. */
  readonly failWith: (error: string, times?: number, method?: string) => void;
  /** What people were told through a response_url, in order. */
  readonly responses: () => readonly Record<string, unknown>[];
  /** Forms that were opened. */
  readonly forms: () => readonly Record<string, unknown>[];
  /** Reaches this server and, through it, hooks.slack.com; every other address is refused and counts as unexpected. */
  readonly fetch: typeof globalThis.fetch;
  /** As if a human had removed the message. */
  readonly deleteMessage: (ts: string) => void;
  /** Throws when a method was called that Wakewell has no business with, or a token or argument was missing. */
  readonly expectNoUnexpected: () => void;
};

/**
 * `channels`: id by the name or id that may be asked for. `nowMs` is Slack's clock, real time when absent.
 * `withLimits`: posts and calls above Slack's rates are answered 429 with Retry-After.
 */
export async function startFakeSlack(
  options: {
    token?: string;
    channels?: Readonly<Record<string, string>>;
    nowMs?: () => number;
    withLimits?: boolean;
  } = {},
): Promise<FakeSlack> {
  const channels = options.channels ?? { C0INCIDENTS: 'C0INCIDENTS', '#incidents': 'C0INCIDENTS' };
  const messages: SlackMessage[] = [];
  const calls: SlackCall[] = [];
  const responses: Record<string, unknown>[] = [];
  const forms: Record<string, unknown>[] = [];
  const used = new Map<string, number>();
  const unexpected: string[] = [];
  const nowMs = options.nowMs ?? Date.now;
  const limits = createSlackLimits();
  let rateLimited = 0;
  let lastTs = 0;
  let failing: { error: string; left: number; method: string | undefined } | null = null;

  const fail = (error: string, more: object = {}): Answer => ok({ ok: false, error, ...more });
  const ok = (body: object): Answer => ({ status: 200, body: JSON.stringify({ ok: true, ...body }) });

  const methods: Readonly<Record<string, (args: Record<string, string>) => Answer>> = {
    'auth.test': () => ok({ user_id: 'U0BOT', bot_id: 'B0BOT', team: 'T', team_id: 'T0' }),
    'chat.postMessage'(args) {
      const channel = channels[args.channel ?? ''];
      if (channel === undefined) return fail('channel_not_found');
      const invalid = checkContent(args);
      if (invalid !== null) return fail(invalid.error, { response_metadata: { messages: invalid.messages } });
      if (args.thread_ts !== undefined && !messages.some((one) => one.ts === args.thread_ts)) {
        return fail('thread_not_found');
      }
      // Microseconds, and never twice the same.
      lastTs = Math.max(lastTs + 1, nowMs() * 1000);
      const digits = String(lastTs);
      const message: SlackMessage = {
        channel,
        ts: `${digits.slice(0, 10)}.${digits.slice(10)}`,
        threadTs: args.thread_ts ?? null,
        text: args.text ?? '',
        blocks: parseBlocks(args),
        metadata: args.metadata === undefined ? null : JSON.parse(args.metadata),
        updates: 0,
      };
      messages.push(message);
      return ok({ channel, ts: message.ts, message: { text: message.text, ts: message.ts } });
    },
    'chat.update'(args) {
      // chat.update wants the id; a name is not found.
      if (!Object.values(channels).includes(args.channel ?? '')) return fail('channel_not_found');
      const message = messages.find((one) => one.ts === args.ts && one.channel === args.channel);
      if (message === undefined) return fail('message_not_found');
      const invalid = checkContent(args);
      if (invalid !== null) return fail(invalid.error, { response_metadata: { messages: invalid.messages } });
      message.text = args.text ?? '';
      message.blocks = parseBlocks(args);
      message.updates += 1;
      return ok({ channel: message.channel, ts: message.ts, text: message.text });
    },
    'conversations.history': (args) => list(args, (one) => one.threadTs === null),
    'conversations.replies': (args) => list(args, (one) => one.ts === args.ts || one.threadTs === args.ts),
    'reactions.add': () => ok({}),
    'views.open'(args) {
      if ((args.trigger_id ?? '') === '') return fail('invalid_trigger_id');
      const view = JSON.parse(args.view ?? '{}') as Record<string, unknown>;
      const faults = viewFaults(view);
      if (faults.length > 0) return fail('invalid_arguments', { response_metadata: { messages: faults } });
      forms.push(view);
      return ok({ view: { id: `V${forms.length}`, ...view } });
    },
  };

  /** Slack answers `ok`; a sixth use, or a message that is none, is refused. */
  function takeResponse({ path, body }: FakeRequest): Answer {
    const uses = (used.get(path) ?? 0) + 1;
    used.set(path, uses);
    if (uses > 5) return { status: 404, body: 'used_url' };
    const message = JSON.parse(body) as Record<string, unknown>;
    const invalid = checkContent({
      text: String(message.text ?? ''),
      ...(message.blocks === undefined ? {} : { blocks: JSON.stringify(message.blocks) }),
    });
    if (invalid !== null) {
      unexpected.push(`response ${invalid.error}`);
      return { status: 400, body: invalid.error };
    }
    responses.push(message);
    return { status: 200, body: 'ok' };
  }

  function list(args: Record<string, string>, wanted: (message: SlackMessage) => boolean): Answer {
    if (!Object.values(channels).includes(args.channel ?? '')) return fail('channel_not_found');
    const oldest = Number(args.oldest ?? 0);
    const found = messages
      .filter((one) => one.channel === args.channel && Number(one.ts) >= oldest && wanted(one))
      .map((one) => ({
        type: 'message',
        ts: one.ts,
        thread_ts: one.threadTs ?? undefined,
        text: one.text,
        metadata: args.include_all_metadata === 'true' ? (one.metadata ?? undefined) : undefined,
      }))
      .reverse();
    return ok({ messages: found, has_more: false });
  }

  function answer(request: FakeRequest): Answer {
    if (request.path.startsWith(HOOKS)) return takeResponse(request);
    const method = request.path.replace(/^\/api\//, '');
    const args = Object.fromEntries(new URLSearchParams(request.body));
    const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    calls.push({ method, args, token });
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (handler === undefined) {
      unexpected.push(`method ${method}`);
      return fail('unknown_method');
    }
    if (options.token !== undefined && token !== options.token) return fail('invalid_auth');
    const waitMs = options.withLimits === true ? limits.waitMs(method, args.channel ?? '', nowMs()) : 0;
    if (waitMs > 0) {
      rateLimited += 1;
      const headers = { 'retry-after': String(Math.ceil(waitMs / 1000)) };
      return { status: 429, headers, body: JSON.stringify({ ok: false, error: 'ratelimited' }) };
    }
    if (failing !== null && failing.left > 0 && (failing.method ?? method) === method) {
      failing.left -= 1;
      return fail(failing.error);
    }
    return handler(args);
  }

  const server = await startHttpFake(answer);
  return {
    ...server,
    url: `${server.url}/api/`,
    messages: () => messages,
    calls: () => calls,
    rateLimited: () => rateLimited,
    responses: () => responses,
    forms: () => forms,
    fetch(input, init) {
      const url = new URL(input instanceof Request ? input.url : String(input));
      if (url.origin === server.url) return fetch(input, init);
      if (url.origin === 'https://hooks.slack.com')
        return fetch(`${server.url}${HOOKS}${url.pathname}`, init);
      unexpected.push(`a call to ${url.origin}`);
      return Promise.reject(new TypeError('fetch failed'));
    },
    failWith(error, times = 1, method) {
      failing = { error, left: times, method };
    },
    deleteMessage(ts) {
      const at = messages.findIndex((one) => one.ts === ts);
      if (at >= 0) messages.splice(at, 1);
    },
    expectNoUnexpected() {
      if (unexpected.length > 0) throw new Error(`Slack saw the unexpected: ${unexpected.join(' | ')}`);
    },
  };
}

function parseBlocks(args: Record<string, string>): Record<string, unknown>[] {
  return args.blocks === undefined ? [] : (JSON.parse(args.blocks) as Record<string, unknown>[]);
}

/** The first violation of Block Kit, as Slack words it; null when the content is acceptable. */
function checkContent(args: Record<string, string>): { error: string; messages: string[] } | null {
  const blocks = parseBlocks(args);
  if ((args.text ?? '') === '' && blocks.length === 0) return { error: 'no_text', messages: [] };
  if ((args.text ?? '').length > 40_000) return { error: 'msg_too_long', messages: [] };
  const faults = blockFaults(blocks);
  if (faults.length > 0)
    return { error: 'invalid_blocks', messages: faults.map((fault) => `[ERROR] ${fault}`) };
  if (JSON.stringify(blocks).length > 13_200) return { error: 'msg_blocks_too_long', messages: [] };
  return null;
}
