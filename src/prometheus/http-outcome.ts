/** Every way in which asking Prometheus fails, in words that tell an operator what to do. */

import { errors } from 'undici';
import { SECOND } from '../domain/clock.js';
import type { FailureReason } from '../domain/signal.js';
import { type Failed, readError } from './answer.js';

/** `text`: the body of a 200 that says it is JSON. */
export type Outcome = { readonly kind: 'text'; readonly text: string } | Failed;

/** What an answer's status and type make of its text. */
export function judge(host: string, status: number, contentType: string, text: string): Outcome {
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(contentType);
  if (status >= 300 && status < 400)
    return failed('http_error', `${host} answered HTTP ${status}: redirects are not followed`);
  if (status === 200) {
    if (isJson) return { kind: 'text', text };
    const type = contentType.split(';')[0]?.slice(0, 40) || 'no content type';
    return failed('bad_response', `${host} answered ${type}, not JSON: is this Prometheus?`);
  }
  const said = isJson ? readError(text) : null;
  // 400 and 422 say that the query is at fault, but only in Prometheus' own words.
  if (said !== null && (status === 400 || status === 422)) return failed('query_refused', said.text);
  if (said?.type === 'timeout') return failed('timeout', `${host}: ${said.text}`);
  return failed('http_error', `${host} answered HTTP ${status}${said === null ? '' : `: ${said.text}`}`);
}

/** Whether the server, not the question, is to blame: that counts towards opening the circuit. */
export function isServerFault({ reason, detail }: Failed): boolean {
  switch (reason) {
    case 'timeout':
    case 'unreachable':
    case 'bad_response':
      return true;
    case 'http_error':
      return /HTTP (?:5\d\d|429)/.test(detail);
    default:
      return false;
  }
}

const CONNECTION_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'host name could not be looked up',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  UND_ERR_SOCKET: 'connection closed',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'no route to host',
};

/** Why there was no answer, from what undici throws. */
export function fromError(host: string, error: unknown, timeoutMs: number): Failed {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (
    code === 'UND_ERR_CONNECT_TIMEOUT' ||
    code === 'UND_ERR_HEADERS_TIMEOUT' ||
    code === 'UND_ERR_BODY_TIMEOUT'
  )
    return failed('timeout', `${host}: no answer within ${timeoutMs / SECOND} s`);
  // What is not HTTP at all, or HTTP cut short, was an answer, though no good one.
  if (code.startsWith('HPE_') || error instanceof errors.HTTPParserError)
    return failed('bad_response', `${host} does not speak HTTP`);
  const said = CONNECTION_FAULTS[code] ?? (code === '' ? 'request failed' : code);
  return failed('unreachable', `${host}: ${said}`);
}

export function failed(reason: FailureReason, detail: string): Failed {
  return { kind: 'failed', reason, detail };
}
