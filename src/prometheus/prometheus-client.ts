/**
 * Prometheus' HTTP API over a small pool. Whatever the server does becomes a tagged outcome with a reason
 * that a person can act on; nothing here throws for it. Bodies are bounded, redirects are not followed.
 */

import { Pool } from 'undici';
import { type Clock, SECOND } from '../domain/clock.js';
import type { FailureReason } from '../domain/signal.js';
import {
  type Failed,
  type MatrixAnswer,
  readError,
  readMatrix,
  readVector,
  type VectorAnswer,
} from './answer.js';
import { createCircuitBreaker } from './circuit-breaker.js';

export type PrometheusClientOptions = {
  /** With path prefix, without trailing slash needed: `http://prometheus:9090`. */
  readonly baseUrl: string;
  readonly bearerToken?: string;
  readonly basicAuth?: { readonly username: string; readonly password: string };
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly maxBodyBytes?: number;
  readonly connections?: number;
  readonly clock: Clock;
};

export type PrometheusClient = {
  readonly query: (
    expression: string,
    options: { readonly atMs: number; readonly signal?: AbortSignal },
  ) => Promise<VectorAnswer>;
  readonly queryRange: (
    expression: string,
    options: {
      readonly startMs: number;
      readonly endMs: number;
      readonly stepMs: number;
      readonly signal?: AbortSignal;
    },
  ) => Promise<MatrixAnswer>;
  readonly close: () => Promise<void>;
};

const DEFAULT_TIMEOUT_MS = 3 * SECOND;
/** 64 workers with ten labels answer in about 20 KiB; 2 MiB is far above any honest answer. */
const DEFAULT_MAX_BODY_BYTES = 2 * 1024 * 1024;
/** Of Prometheus' 20 query slots; rule evaluation needs the rest. */
const DEFAULT_CONNECTIONS = 4;
/** The server gives up a little earlier than we do, and so frees its slot. */
const SERVER_TIMEOUT_MARGIN_MS = 200;

type Outcome = { readonly kind: 'text'; readonly text: string } | Failed;

export function createPrometheusClient(options: PrometheusClientOptions): PrometheusClient {
  const base = new URL(options.baseUrl);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const maxBodyBytes = options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
  const pool = new Pool(base.origin, {
    connections: options.connections ?? DEFAULT_CONNECTIONS,
    pipelining: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: timeoutMs },
  });
  const breaker = createCircuitBreaker(options.clock);
  const prefix = base.pathname.replace(/\/+$/, '');
  const headers = requestHeaders(options);

  async function ask(
    path: string,
    form: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<Outcome> {
    const openForMs = breaker.refusal();
    if (openForMs !== null) {
      const seconds = Math.ceil(openForMs / SECOND);
      return {
        kind: 'failed',
        reason: 'circuit_open',
        detail: `Prometheus failed 5 times in a row; asked again in ${seconds} s`,
      };
    }
    const outcome = await request(path, form, signal);
    // A refused query is the query's fault; the server is well.
    if (outcome.kind === 'text' || outcome.reason === 'query_refused' || signal?.aborted === true)
      breaker.succeeded();
    else breaker.failed();
    return outcome;
  }

  async function request(
    path: string,
    form: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<Outcome> {
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const response = await pool.request({
        path: `${prefix}/api/v1/${path}`,
        method: 'POST',
        headers,
        body: new URLSearchParams({
          ...form,
          timeout: `${Math.max(100, timeoutMs - SERVER_TIMEOUT_MARGIN_MS)}ms`,
        }).toString(),
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      const text = await readBounded(response.body, maxBodyBytes);
      if (text === null)
        return failed('too_large', `the answer is larger than ${Math.round(maxBodyBytes / 1024)} KiB`);
      return judge(response.statusCode, String(response.headers['content-type'] ?? ''), text);
    } catch (error) {
      return fromError(error, timeoutMs);
    }
  }

  return {
    async query(expression, { atMs, signal }) {
      const outcome = await ask('query', { query: expression, time: seconds(atMs) }, signal);
      return outcome.kind === 'text' ? readVector(outcome.text) : outcome;
    },
    async queryRange(expression, { startMs, endMs, stepMs, signal }) {
      const form = { query: expression, start: seconds(startMs), end: seconds(endMs), step: seconds(stepMs) };
      const outcome = await ask('query_range', form, signal);
      return outcome.kind === 'text' ? readMatrix(outcome.text) : outcome;
    },
    close: () => pool.destroy(),
  };
}

function requestHeaders(options: PrometheusClientOptions): Record<string, string> {
  const headers: Record<string, string> = {
    ...options.headers,
    // A JSON body is silently ignored by Prometheus: queries are form fields.
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
    // No compression: a bounded answer needs none, and a bomb cannot unfold.
    'accept-encoding': 'identity',
  };
  if (options.bearerToken !== undefined) headers.authorization = `Bearer ${options.bearerToken}`;
  else if (options.basicAuth !== undefined) {
    const { username, password } = options.basicAuth;
    headers.authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }
  return headers;
}

/** The body as text, or null (and the connection given up) past the limit. */
async function readBounded(
  body: AsyncIterable<Buffer> & { destroy(): unknown; on(event: 'error', fn: () => void): unknown },
  limit: number,
): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) {
      body.on('error', () => {});
      body.destroy();
      return null;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function judge(status: number, contentType: string, text: string): Outcome {
  const isJson = contentType.includes('json');
  if (status >= 300 && status < 400)
    return failed('http_error', `answered HTTP ${status}: redirects are not followed`);
  if (status === 200) {
    return isJson
      ? { kind: 'text', text }
      : failed(
          'bad_response',
          `answered ${contentType.split(';')[0] || 'no content type'}, not JSON: is this Prometheus?`,
        );
  }
  const said = isJson ? readError(text) : null;
  if (said !== null && (status === 400 || status === 422)) return failed('query_refused', said);
  if (status === 503 && said !== null && said.includes('timed out')) return failed('timeout', said);
  return failed('http_error', said === null ? `answered HTTP ${status}` : `answered HTTP ${status}: ${said}`);
}

function fromError(error: unknown, timeoutMs: number): Failed {
  const name = error instanceof Error ? error.name : '';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (name === 'TimeoutError' || name === 'AbortError' || code.includes('TIMEOUT')) {
    return failed('timeout', `no answer within ${timeoutMs / SECOND} s`);
  }
  const known: Record<string, string> = {
    ECONNREFUSED: 'connection refused',
    ENOTFOUND: 'host not found',
    ECONNRESET: 'connection reset',
    UND_ERR_SOCKET: 'connection closed',
    EHOSTUNREACH: 'no route to host',
  };
  return failed('unreachable', known[code] ?? (code !== '' ? code : 'request failed'));
}

function failed(reason: FailureReason, detail: string): Failed {
  return { kind: 'failed', reason, detail };
}

function seconds(ms: number): string {
  return (ms / SECOND).toFixed(3);
}
