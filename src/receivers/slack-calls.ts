/** The calls to Slack's Web API that cards, their buttons and pages need, with bounded answers and the outbox's own abort. */

import { LogLevel, WebAPIPlatformError, WebClient } from '@slack/web-api';
import { MINUTE } from '../domain/clock.js';
import type { SlackBlock } from '../render/slack-card.js';
import { call } from './call.js';
import { CALL_TIMEOUT_MS, type ReceiverDeps } from './receiver.js';
import type { SlackConfig } from './slack-config.js';

/** Channel id from the answer and `ts`, a string: together they are the message's identity. */
export type SlackMessageRef = { readonly channel: string; readonly ts: string };

export type SlackContent = {
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
  readonly metadata?: {
    readonly event_type: string;
    readonly event_payload: Readonly<Record<string, string | number>>;
  };
};

export type SlackCalls = {
  readonly post: (content: SlackContent, parent: SlackMessageRef | null) => Promise<SlackMessageRef>;
  readonly update: (at: SlackMessageRef, content: SlackContent) => Promise<SlackMessageRef>;
  /** Our card of an incident, if the channel has it since `sinceMs`. */
  readonly findCard: (incidentId: string, sinceMs: number) => Promise<SlackMessageRef | null>;
  /** Our page of an episode, if the channel has it since `sinceMs`. */
  readonly findPage: (
    payload: { readonly id: string; readonly episode: number },
    sinceMs: number,
  ) => Promise<SlackMessageRef | null>;
  /** Our reply with this metadata in a thread. */
  readonly findReply: (
    parent: SlackMessageRef,
    metadata: NonNullable<SlackContent['metadata']>,
  ) => Promise<SlackMessageRef | null>;
  /** Opens a form at the screen of who pressed a button at most 3 s ago. */
  readonly openForm: (triggerId: string, form: object) => Promise<void>;
};

const MAX_ANSWER_BYTES = 2 * 1024 * 1024;

const silent = () => {};
/** The client logs request bodies when asked; everything worth knowing is in what it throws. */
const NO_LOG = {
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  setLevel: silent,
  getLevel: () => LogLevel.ERROR,
  setName: silent,
};

/** A client for one delivery. The functions throw what `slackFailure` classifies. */
export function createSlackCalls(
  config: SlackConfig,
  deps: Pick<ReceiverDeps, 'fetch' | 'clock'>,
  signal: AbortSignal,
): SlackCalls {
  const client = new WebClient(config.botToken, {
    slackApiUrl: withSlash(config.apiUrl ?? 'https://slack.com/api/'),
    // The outbox alone retries: the client would wait for half an hour, and pause every other call meanwhile.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    allowAbsoluteUrls: false,
    logger: NO_LOG,
    fetch: async (url, init) => {
      const outcome = await call({
        fetch: deps.fetch,
        clock: deps.clock,
        url,
        method: init?.method ?? 'POST',
        headers: init?.headers ?? {},
        body: typeof init?.body === 'string' ? init.body : '',
        timeoutMs: CALL_TIMEOUT_MS,
        maxAnswerBytes: MAX_ANSWER_BYTES,
        signal,
      });
      if (outcome.kind === 'failed') {
        const name = outcome.reason === 'timeout' ? 'TimeoutError' : 'Error';
        throw Object.assign(new Error(outcome.detail), { name, code: outcome.detail });
      }
      const body = NO_BODY.has(outcome.status) ? null : outcome.text;
      // `Response` refuses statuses below 200; fetch never yields them.
      return new Response(body, { status: outcome.status, headers: outcome.headers });
    },
  });

  function history(sinceMs: number): Promise<object> {
    return client.apiCall('conversations.history', {
      channel: config.channel,
      // Slack's clock and ours may differ.
      oldest: String(Math.floor((sinceMs - 10 * MINUTE) / 1000)),
      limit: 200,
      include_all_metadata: true,
    });
  }

  return {
    async post(content, parent) {
      const answer = await client.apiCall('chat.postMessage', {
        channel: parent?.channel ?? config.channel,
        ...messageOf(content),
        ...(parent === null ? {} : { thread_ts: parent.ts }),
        unfurl_links: false,
        unfurl_media: false,
      });
      return refOf(answer, parent?.channel ?? config.channel);
    },
    async update(at, content) {
      const answer = await client.apiCall('chat.update', {
        channel: at.channel,
        ts: at.ts,
        ...messageOf(content),
      });
      return refOf({ ...answer, ts: at.ts }, at.channel);
    },
    async findCard(incidentId, sinceMs) {
      const answer = await history(sinceMs);
      return find(answer, config.channel, 'incident', (payload) => payload.id === incidentId);
    },
    async findPage(wanted, sinceMs) {
      const answer = await history(sinceMs);
      return find(
        answer,
        config.channel,
        'incident_page',
        (payload) => payload.id === wanted.id && payload.episode === wanted.episode,
      );
    },
    async findReply(parent, wanted) {
      const answer = await client.apiCall('conversations.replies', {
        channel: parent.channel,
        ts: parent.ts,
        limit: 200,
        include_all_metadata: true,
      });
      return find(answer, parent.channel, wanted.event_type, (payload) =>
        Object.entries(wanted.event_payload).every(([name, value]) => payload[name] === value),
      );
    },
    async openForm(triggerId, form) {
      await client.apiCall('views.open', { trigger_id: triggerId, view: form });
    },
  };
}

/** Statuses that `Response` allows no body for. */
const NO_BODY = new Set([204, 205, 304]);

function messageOf(content: SlackContent): Record<string, unknown> {
  return {
    text: content.text,
    // An update without blocks keeps the old ones, so an empty list is sent as such.
    blocks: content.blocks,
    ...(content.metadata === undefined ? {} : { metadata: content.metadata }),
  };
}

function refOf(answer: object, fallbackChannel: string): SlackMessageRef {
  const { ts, channel } = answer as { ts?: unknown; channel?: unknown };
  // Accepted but nameless: tried once more, when the look-up by metadata finds it.
  if (typeof ts !== 'string' || ts === '') {
    throw new WebAPIPlatformError({ ok: false, error: 'answer_without_ts' });
  }
  return { channel: typeof channel === 'string' ? channel : fallbackChannel, ts };
}

function find(
  answer: object,
  channel: string,
  type: string,
  wanted: (payload: Record<string, unknown>) => boolean,
): SlackMessageRef | null {
  const { messages } = answer as { messages?: unknown };
  if (!Array.isArray(messages)) return null;
  for (const message of messages as Record<string, unknown>[]) {
    const metadata = message?.metadata as { event_type?: unknown; event_payload?: unknown } | undefined;
    const payload = metadata?.event_payload;
    if (metadata?.event_type !== type || typeof payload !== 'object' || payload === null) continue;
    if (wanted(payload as Record<string, unknown>) && typeof message.ts === 'string')
      return { channel, ts: message.ts };
  }
  return null;
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}
