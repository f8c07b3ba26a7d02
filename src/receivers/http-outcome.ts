/** What an HTTP answer or error means for a delivery: the one table all receivers share. */

import { SECOND } from '../domain/clock.js';
import type { DeliveryReason } from '../domain/notification.js';

export type FailedDelivery =
  | {
      readonly kind: 'retry';
      readonly reason: DeliveryReason;
      readonly detail: string;
      readonly afterMs?: number;
    }
  | { readonly kind: 'dead'; readonly reason: DeliveryReason; readonly detail: string };

/** Longer waits than this are a provider's wish, not an on-call's. */
const MAX_RETRY_AFTER_MS = 120 * SECOND;

/**
 * The outcome of a status outside of what the receiver calls success. 408, 425, 429 and 5xx are tried again,
 * every other 4xx will never be accepted. `detail` must hold no secret: it is stored and shown.
 */
export function outcomeOfStatus(
  status: number,
  detail: string,
  retryAfter: string | null,
  nowMs: number,
): FailedDelivery {
  const afterMs = parseRetryAfter(retryAfter, nowMs);
  const wait = afterMs === null ? {} : { afterMs };
  if (status === 429) return { kind: 'retry', reason: 'rate_limited', detail, ...wait };
  if (status === 408 || status === 425) return { kind: 'retry', reason: 'timeout', detail, ...wait };
  if (status >= 500) return { kind: 'retry', reason: 'server_error', detail, ...wait };
  // A redirect may lead anywhere, credentials with it. Somebody moved the service: the next answer may differ.
  if (status >= 300 && status < 400) return { kind: 'retry', reason: 'redirect', detail };
  if (status === 401 || status === 403) return { kind: 'dead', reason: 'auth', detail };
  if (status >= 400) return { kind: 'dead', reason: 'client_error', detail };
  return { kind: 'retry', reason: 'bad_response', detail };
}

/** Seconds or an HTTP date, as ms from now, 0 … 120 s; null for nothing, nonsense and the negative. */
export function parseRetryAfter(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  const text = header.trim();
  const wait = /^\d{1,12}(\.\d+)?$/.test(text)
    ? Number(text) * SECOND
    : /^[A-Za-z]{3},/.test(text)
      ? Date.parse(text) - nowMs
      : Number.NaN;
  if (!Number.isFinite(wait) || wait < 0) return null;
  return Math.min(wait, MAX_RETRY_AFTER_MS);
}

/** The reason behind what `fetch` threw, found in the chain of causes. Messages are not used: they may hold a URL. */
export function reasonOfError(error: unknown): { readonly reason: DeliveryReason; readonly code: string } {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth++) {
    if (at.name === 'TimeoutError' || at.name === 'AbortError') return { reason: 'timeout', code: 'timeout' };
    const code = (at as NodeJS.ErrnoException).code;
    if (typeof code !== 'string') {
      if (/redirect/i.test(at.message)) return { reason: 'redirect', code: 'redirect refused' };
      continue;
    }
    if (/TIMEOUT|ETIMEDOUT/.test(code)) return { reason: 'timeout', code };
    if (/^(E[A-Z]+|UND_ERR_[A-Z_]+|[A-Z_]*CERT[A-Z_]*|[A-Z_]*SSL[A-Z_]*)$/.test(code))
      return { reason: 'unreachable', code };
  }
  return { reason: 'unreachable', code: 'connection failed' };
}
