/**
 * One Alertmanager's API v2 over a small pool. Whatever it does becomes a tagged outcome with words that an
 * operator can act on; nothing here throws for it. Answers are bounded and redirects are not followed.
 */

import { Pool } from 'undici';
import { type Clock, SECOND } from '../domain/clock.js';
import type { Matcher } from '../domain/labels.js';
import {
  type HeldAlert,
  type HeldSilence,
  type PeerStatus,
  readErrorText,
  readHeldAlerts,
  readSilences,
  readStatus,
} from './api-answers.js';
import { isObject, type ReadOptions, text } from './read-alert.js';

export type AlertmanagerClientOptions = {
  /** With path prefix, without trailing slash needed: `http://alertmanager:9093`. */
  readonly baseUrl: string;
  readonly bearerToken?: string;
  readonly basicAuth?: { readonly username: string; readonly password: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** How alerts are read: the same as for the webhook. */
  readonly read: ReadOptions;
  readonly timeoutMs?: number;
  readonly maxBodyBytes?: number;
  readonly clock: Clock;
};

export type NewSilence = {
  readonly matchers: readonly Matcher[];
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly createdBy: string;
  readonly comment: string;
};

/** `sent`: whether the request may have reached it, so that what it asked for may have happened. */
export type Failed = { readonly kind: 'failed'; readonly detail: string; readonly sent: boolean };
export type Answer<T> = { readonly kind: 'ok'; readonly value: T } | Failed;

export type AlertmanagerClient = {
  /** `host:port`, for texts. */
  readonly host: string;
  /** What it holds as firing, silenced and inhibited ones included. */
  readonly alerts: () => Promise<Answer<{ readonly alerts: HeldAlert[]; readonly unreadable: number }>>;
  readonly silences: () => Promise<Answer<HeldSilence[]>>;
  /** `upForMs`: by its own clock, so that a difference to ours does not matter; null when it does not say. */
  readonly status: () => Promise<Answer<PeerStatus & { readonly upForMs: number | null }>>;
  /** Creates a silence; its id. */
  readonly createSilence: (silence: NewSilence) => Promise<Answer<string>>;
  readonly close: () => Promise<void>;
};

const DEFAULT_TIMEOUT_MS = 10 * SECOND;
/** 10,000 alerts with long annotations are some 20 MB. A larger answer is refused, and said, rather than cut. */
const DEFAULT_MAX_BODY_BYTES = 32 * 1024 * 1024;
const CONNECTIONS = 2;

/** Throws at once for a base URL that is none. */
export function createAlertmanagerClient(options: AlertmanagerClientOptions): AlertmanagerClient {
  const base = new URL(options.baseUrl);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const maxBodyBytes = options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
  const pool = new Pool(base.origin, {
    connections: CONNECTIONS,
    pipelining: 1,
    // Backstops: the clock's own timer is what bounds a question, waiting for a connection included.
    headersTimeout: timeoutMs + SECOND,
    bodyTimeout: timeoutMs + SECOND,
    connect: { timeout: timeoutMs },
  });
  const prefix = base.pathname.replace(/\/+$/, '');
  const headers = requestHeaders(options);
  const failed = (detail: string, sent: boolean): Failed => ({
    kind: 'failed',
    detail: `${base.host} ${detail}`,
    sent,
  });

  async function call(
    path: string,
    body?: object,
  ): Promise<Answer<{ readonly json: unknown; readonly date: number }>> {
    const abort = new AbortController();
    const cancel = options.clock.after(timeoutMs, () => abort.abort());
    try {
      const response = await pool.request({
        path: `${prefix}/api/v2/${path}`,
        method: body === undefined ? 'GET' : 'POST',
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: abort.signal,
      });
      const said = await readBounded(response.body, maxBodyBytes);
      if (said === null) {
        // The rest is not read: giving the request up closes its connection.
        response.body.on('error', () => {});
        response.body.destroy();
        return failed(`answers more than ${Math.round(maxBodyBytes / 1024 / 1024)} MiB`, true);
      }
      const { statusCode } = response;
      if (statusCode >= 300 && statusCode < 400)
        return failed(`answered HTTP ${statusCode}: redirects are not followed`, false);
      if (statusCode !== 200) {
        const detail = readErrorText(said);
        return failed(`answered HTTP ${statusCode}${detail === '' ? '' : `: ${detail}`}`, statusCode >= 500);
      }
      return {
        kind: 'ok',
        value: { json: JSON.parse(said), date: Date.parse(String(response.headers.date ?? '')) },
      };
    } catch (error) {
      if (abort.signal.aborted) return failed(`gave no answer within ${timeoutMs / SECOND} s`, true);
      if (error instanceof SyntaxError) return failed('answered something that is no JSON', true);
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'request failed';
      return failed(`cannot be reached (${code})`, code !== 'ECONNREFUSED' && code !== 'ENOTFOUND');
    } finally {
      cancel();
    }
  }

  async function ask<T>(path: string, read: (json: unknown, date: number) => T | null): Promise<Answer<T>> {
    const answer = await call(path);
    if (answer.kind === 'failed') return answer;
    const value = read(answer.value.json, answer.value.date);
    return value === null
      ? failed(`answered no list or status at /api/v2/${path.split('?')[0]}: is this Alertmanager?`, true)
      : { kind: 'ok', value };
  }

  return {
    host: base.host,
    alerts: () =>
      ask('alerts?active=true&silenced=true&inhibited=true&unprocessed=true', (json) =>
        readHeldAlerts(json, options.read),
      ),
    silences: () => ask('silences', readSilences),
    status: () =>
      ask('status', (json, date) => {
        const status = readStatus(json);
        if (status === null) return null;
        const { startedAtMs } = status;
        return {
          ...status,
          upForMs: startedAtMs === null || Number.isNaN(date) ? null : date - startedAtMs,
        };
      }),
    async createSilence(silence) {
      const answer = await call('silences', {
        matchers: silence.matchers.map(({ name, operator, value }) => ({
          name,
          value,
          isRegex: operator === '=~' || operator === '!~',
          isEqual: operator === '=' || operator === '=~',
        })),
        startsAt: new Date(silence.startsAtMs).toISOString(),
        endsAt: new Date(silence.endsAtMs).toISOString(),
        createdBy: silence.createdBy,
        comment: silence.comment,
      });
      if (answer.kind === 'failed') return answer;
      const id = isObject(answer.value.json) ? text(answer.value.json.silenceID) : null;
      return id === null ? failed('took a silence but named no id', true) : { kind: 'ok', value: id };
    },
    close: () => pool.destroy(),
  };
}

function requestHeaders(options: AlertmanagerClientOptions): Record<string, string> {
  const { bearerToken, basicAuth } = options;
  const headers: Record<string, string> = {
    ...options.headers,
    'content-type': 'application/json',
    accept: 'application/json',
    // No compression: a bomb cannot unfold.
    'accept-encoding': 'identity',
  };
  if (bearerToken !== undefined) headers.authorization = `Bearer ${bearerToken}`;
  else if (basicAuth !== undefined) {
    const credentials = Buffer.from(`${basicAuth.username}:${basicAuth.password}`).toString('base64');
    headers.authorization = `Basic ${credentials}`;
  }
  return headers;
}

/** The body as text, or null past the limit. */
async function readBounded(body: AsyncIterable<Buffer>, limit: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
