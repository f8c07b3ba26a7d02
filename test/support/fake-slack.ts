/**
 * Slack's Web API as far as Wakewell uses it: auth.test, chat.postMessage, chat.update, conversations.history,
 * conversations.replies, reactions.add. Bodies are form-urlencoded with JSON in `blocks` and `metadata`, answers
 * are HTTP 200 with `ok`. Block Kit limits are enforced as documented (docs.slack.dev/reference/block-kit/blocks).
 */

import { type Answer, type FakeRequest, type FakeServer, startHttpFake } from './http-fake.js';

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
  /** The next `times` calls of a method (any when absent) answer `ok: false` with this error. */
  readonly failWith: (error: string, times?: number, method?: string) => void;
  /** As if a human had removed the message. */
  readonly deleteMessage: (ts: string) => void;
  /** Throws when a method was called that Wakewell has no business with, or a token or argument was missing. */
  readonly expectNoUnexpected: () => void;
};

/** `channels`: id by the name or id that may be asked for. `nowMs` is Slack's clock, real time when absent. */
export async function startFakeSlack(
  options: { token?: string; channels?: Readonly<Record<string, string>>; nowMs?: () => number } = {},
): Promise<FakeSlack> {
  const channels = options.channels ?? { C0INCIDENTS: 'C0INCIDENTS', '#incidents': 'C0INCIDENTS' };
  const messages: SlackMessage[] = [];
  const calls: SlackCall[] = [];
  const unexpected: string[] = [];
  const nowMs = options.nowMs ?? Date.now;
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
  };

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

type TextObject = { readonly type?: string; readonly text?: string };

/** The first violation of Block Kit, as Slack words it; null when the content is acceptable. */
function checkContent(args: Record<string, string>): { error: string; messages: string[] } | null {
  const blocks = parseBlocks(args);
  if ((args.text ?? '') === '' && blocks.length === 0) return { error: 'no_text', messages: [] };
  if ((args.text ?? '').length > 40_000) return { error: 'msg_too_long', messages: [] };
  const faults: string[] = [];
  if (blocks.length > 50) faults.push('no more than 50 items allowed [json-pointer:/blocks]');
  blocks.forEach((block, i) => {
    const at = `[json-pointer:/blocks/${i}]`;
    if (typeof block.block_id === 'string' && block.block_id.length > 255)
      faults.push(`block_id too long ${at}`);
    const text = block.text as TextObject | undefined;
    switch (block.type) {
      case 'section':
        if (text?.text === undefined && block.fields === undefined) faults.push(`missing text ${at}`);
        if (text?.text === '') faults.push(`must be more than 0 characters ${at}`);
        if ((text?.text?.length ?? 0) > 3000) faults.push(`must be less than 3001 characters ${at}`);
        break;
      case 'header':
        if (text?.type !== 'plain_text') faults.push(`header wants plain_text ${at}`);
        if ((text?.text?.length ?? 0) > 150) faults.push(`must be less than 151 characters ${at}`);
        break;
      case 'context':
        if (((block.elements as unknown[] | undefined)?.length ?? 0) > 10)
          faults.push(`more than 10 elements ${at}`);
        break;
      case 'actions':
        if (((block.elements as unknown[] | undefined)?.length ?? 0) > 25)
          faults.push(`more than 25 elements ${at}`);
        break;
      case 'divider':
        break;
      default:
        faults.push(`unsupported block type ${String(block.type)} ${at}`);
    }
  });
  const ids = blocks.map((block) => block.block_id).filter((id) => id !== undefined);
  if (new Set(ids).size !== ids.length) faults.push('block_ids are not unique [json-pointer:/blocks]');
  if (faults.length > 0)
    return { error: 'invalid_blocks', messages: faults.map((fault) => `[ERROR] ${fault}`) };
  if (JSON.stringify(blocks).length > 13_200) return { error: 'msg_blocks_too_long', messages: [] };
  return null;
}
