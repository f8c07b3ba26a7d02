/**
 * The generic webhook: incident.io, Rootly, FireHydrant and anything in-house take a JSON POST. Signed so that
 * the receiver can tell us from others: hex HMAC-SHA256 of `<timestamp>.<body>` under the shared secret.
 */

import { createHmac } from 'node:crypto';
import type { DeliveryResult } from '../domain/notification.js';
import { bareWebhookBody } from '../render/bare-message.js';
import { renderWebhookBody, type WebhookBody } from '../render/webhook-body.js';
import { call } from './call.js';
import { outcomeOfStatus } from './http-outcome.js';
import {
  type BareDelivery,
  CALL_TIMEOUT_MS,
  type Delivery,
  type Receiver,
  type ReceiverDeps,
} from './receiver.js';

export type WebhookConfig = {
  readonly name: string;
  /** May hold a token in its path or query, so it is never shown. */
  readonly url: string;
  /** Secret for the signature; unsigned when absent. */
  readonly secret?: string | undefined;
};

const MAX_ANSWER_BYTES = 4 * 1024;

/**
 * Posts the incident's summary. Any 2xx is acceptance. Headers: `X-Timestamp` (s since 1970), `X-Signature:
 * sha256=<hex>`, `Idempotency-Key` (the same on every attempt of one notification).
 */
export function createWebhookReceiver(config: WebhookConfig, deps: ReceiverDeps): Receiver {
  function deliver({ notification, view }: Delivery, signal: AbortSignal): Promise<DeliveryResult> {
    const { publicUrl, slo } = deps;
    const body = renderWebhookBody(view, { publicUrl, ...(slo === undefined ? {} : { slo }) });
    return send(body, `${view.episode.dedupKey}.${notification.id}`, signal);
  }

  function deliverBare(
    { facts, idempotencyKey }: BareDelivery,
    signal: AbortSignal,
  ): Promise<DeliveryResult> {
    return send(bareWebhookBody(facts, deps.publicUrl), idempotencyKey, signal);
  }

  async function send(message: WebhookBody, key: string, signal: AbortSignal): Promise<DeliveryResult> {
    const body = JSON.stringify(message);
    const timestamp = String(Math.floor(deps.clock.now() / 1000));
    const outcome = await call({
      fetch: deps.fetch,
      clock: deps.clock,
      url: config.url,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-timestamp': timestamp,
        'idempotency-key': key,
        ...signatureOf(config.secret, timestamp, body),
      },
      body,
      timeoutMs: CALL_TIMEOUT_MS,
      maxAnswerBytes: MAX_ANSWER_BYTES,
      signal,
    });
    if (outcome.kind === 'failed') return { kind: 'retry', reason: outcome.reason, detail: outcome.detail };
    if (outcome.status >= 200 && outcome.status < 300) return { kind: 'sent', ref: key };
    // The body of the answer may echo the secret URL, so only its status is told.
    return outcomeOfStatus(
      outcome.status,
      `HTTP ${outcome.status}`,
      outcome.headers.get('retry-after'),
      deps.clock.now(),
    );
  }

  return { name: config.name, kind: 'webhook', deliver, deliverBare };
}

function signatureOf(secret: string | undefined, timestamp: string, body: string): Record<string, string> {
  if (secret === undefined || secret === '') return {};
  const hex = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return { 'x-signature': `sha256=${hex}` };
}
