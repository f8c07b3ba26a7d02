/** One bounded HTTP call: a deadline over connection and answer, no redirects, and a body that is read only so far. */

import type { Clock } from '../domain/clock.js';
import type { DeliveryReason } from '../domain/notification.js';
import { reasonOfError } from './http-outcome.js';

export type CallOptions = {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly url: string | URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: NonNullable<RequestInit['body']>;
  readonly timeoutMs: number;
  /** Bytes of the answer that are kept; the rest is not read. */
  readonly maxAnswerBytes: number;
  readonly signal?: AbortSignal | null;
};

export type CallOutcome =
  | { readonly kind: 'answer'; readonly status: number; readonly headers: Headers; readonly text: string }
  | { readonly kind: 'failed'; readonly reason: DeliveryReason; readonly detail: string };

/** Makes the call. Never throws; `detail` names neither URL nor header. */
export async function call(options: CallOptions): Promise<CallOutcome> {
  const controller = new AbortController();
  const giveUp = () => controller.abort(new DOMException('timed out', 'TimeoutError'));
  const cancelTimer = options.clock.after(options.timeoutMs, giveUp);
  options.signal?.addEventListener('abort', giveUp, { once: true });
  if (options.signal?.aborted === true) giveUp();
  try {
    const response = await options.fetch(options.url, {
      method: options.method,
      headers: options.headers,
      body: options.body,
      redirect: 'manual',
      signal: controller.signal,
    });
    const text = await readBounded(response, options.maxAnswerBytes);
    return { kind: 'answer', status: response.status, headers: response.headers, text };
  } catch (error) {
    const { reason, code } = reasonOfError(error);
    const detail = reason === 'timeout' ? `no answer within ${options.timeoutMs / 1000} s` : code;
    return { kind: 'failed', reason, detail };
  } finally {
    cancelTimer();
    options.signal?.removeEventListener('abort', giveUp);
  }
}

async function readBounded(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (size < maxBytes) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.byteLength;
  }
  // Whoever sends more than is read is hung up on, or the connection would stay occupied.
  if (size >= maxBytes) await reader.cancel().catch(() => {});
  return Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8');
}
