/**
 * Prometheus' HTTP API over a small pool. Whatever the server does becomes a tagged outcome with a reason
 * that a person can act on; nothing here throws for it. Bodies are bounded, redirects are not followed.
 */

import { Pool } from 'undici';
import { type Clock, SECOND } from '../domain/clock.js';
import { type MatrixAnswer, readMatrix, readVector, type VectorAnswer } from './answer.js';
import { createCircuitBreaker } from './circuit-breaker.js';
import { failed, fromError, isServerFault, judge, type Outcome } from './http-outcome.js';
import { type RulesAnswer, readRules } from './read-rules.js';

export type PrometheusClientOptions = {
  /** With path prefix, without trailing slash needed: `http://prometheus:9090`. */
  readonly baseUrl: string;
  readonly bearerToken?: string;
  readonly basicAuth?: { readonly username: string; readonly password: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificate authority of its TLS, PEM, in place of the system's. */
  readonly ca?: string;
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
  /** The rules that it evaluates. */
  readonly rules: () => Promise<RulesAnswer>;
  readonly close: () => Promise<void>;
};

const DEFAULT_TIMEOUT_MS = 3 * SECOND;
/** 64 workers with ten labels answer in about 20 KiB; 2 MiB is far above any honest answer. */
const DEFAULT_MAX_BODY_BYTES = 2 * 1024 * 1024;
/** Of Prometheus' 20 query slots; rule evaluation needs the rest. */
const DEFAULT_CONNECTIONS = 4;
/** The server gives up a little earlier than we do, and so frees its slot. */
const SERVER_TIMEOUT_MARGIN_MS = 200;

const GIVEN_UP = 'given up before Prometheus answered';

/** Never throws for anything the server does; throws at once for a base URL that is none. */
export function createPrometheusClient(options: PrometheusClientOptions): PrometheusClient {
  const base = new URL(options.baseUrl);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const maxBodyBytes = options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
  const pool = new Pool(base.origin, {
    connections: options.connections ?? DEFAULT_CONNECTIONS,
    pipelining: 1,
    // Backstops: the clock's own timer is what bounds a question, waiting for a connection included.
    headersTimeout: timeoutMs + SECOND,
    bodyTimeout: timeoutMs + SECOND,
    connect: { timeout: timeoutMs, ...(options.ca === undefined ? {} : { ca: options.ca }) },
  });
  const breaker = createCircuitBreaker(options.clock);
  const prefix = base.pathname.replace(/\/+$/, '');
  const headers = requestHeaders(options, base);

  async function ask(
    path: string,
    form: Record<string, string> | null,
    signal: AbortSignal | undefined,
  ): Promise<Outcome> {
    if (isAborted(signal)) return failed('timeout', GIVEN_UP);
    const refusedForMs = breaker.refusal();
    if (refusedForMs !== null) {
      const seconds = Math.ceil(refusedForMs / SECOND);
      return failed('circuit_open', `${base.host} failed 5 times in a row; asked again in ${seconds} s`);
    }
    const outcome = await request(path, form, signal);
    if (isAborted(signal)) breaker.undecided();
    else if (outcome.kind === 'failed' && isServerFault(outcome)) breaker.failed();
    else breaker.succeeded();
    return outcome;
  }

  /** Without a form it is a GET, for what the API answers to nothing else. */
  async function request(
    path: string,
    form: Record<string, string> | null,
    signal: AbortSignal | undefined,
  ): Promise<Outcome> {
    const abort = new AbortController();
    let timedOut = false;
    const cancel = options.clock.after(timeoutMs, () => {
      timedOut = true;
      abort.abort();
    });
    try {
      const serverMs = Math.max(100, timeoutMs - SERVER_TIMEOUT_MARGIN_MS);
      const response = await pool.request({
        path: `${prefix}/api/v1/${path}`,
        headers,
        ...(form === null
          ? { method: 'GET' as const }
          : {
              method: 'POST' as const,
              body: new URLSearchParams({ ...form, timeout: `${serverMs}ms` }).toString(),
            }),
        signal: signal === undefined ? abort.signal : AbortSignal.any([abort.signal, signal]),
      });
      const encoding = String(response.headers['content-encoding'] ?? 'identity');
      const text = encoding === 'identity' ? await readBounded(response.body, maxBodyBytes) : null;
      if (text === null) {
        // The rest is not read: giving the request up closes its connection.
        response.body.on('error', () => {});
        response.body.destroy();
        return encoding === 'identity'
          ? failed(
              'too_large',
              `${base.host}: the answer is larger than ${Math.round(maxBodyBytes / 1024)} KiB`,
            )
          : failed('bad_response', `${base.host} answered ${encoding.slice(0, 20)}, which was not asked for`);
      }
      return judge(base.host, response.statusCode, String(response.headers['content-type'] ?? ''), text);
    } catch (error) {
      if (timedOut) return failed('timeout', `${base.host}: no answer within ${timeoutMs / SECOND} s`);
      if (isAborted(signal)) return failed('timeout', GIVEN_UP);
      return fromError(base.host, error, timeoutMs);
    } finally {
      cancel();
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
    async rules() {
      const outcome = await ask('rules', null, undefined);
      return outcome.kind === 'text' ? readRules(outcome.text) : outcome;
    },
    close: () => pool.destroy(),
  };
}

/** A function, since the compiler would remember the first look for the second. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

function requestHeaders(options: PrometheusClientOptions, base: URL): Record<string, string> {
  const headers: Record<string, string> = {
    ...options.headers,
    // A JSON body is silently ignored by Prometheus: queries are form fields.
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
    // No compression: a bounded answer needs none, and a bomb cannot unfold.
    'accept-encoding': 'identity',
  };
  const fromUrl =
    base.username === ''
      ? undefined
      : { username: decodeURIComponent(base.username), password: decodeURIComponent(base.password) };
  const basic = options.basicAuth ?? fromUrl;
  if (options.bearerToken !== undefined) headers.authorization = `Bearer ${options.bearerToken}`;
  else if (basic !== undefined) {
    const credentials = `${basic.username}:${basic.password}`;
    headers.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
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

function seconds(ms: number): string {
  return (ms / SECOND).toFixed(3);
}
