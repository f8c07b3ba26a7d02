/**
 * PagerDuty Events API v2. Retrying is safe because every event carries the episode's dedup key. 202 is the
 * only acceptance (developer.pagerduty.com, "Events API v2 Overview"); the routing key is the credential.
 */

import type { DeliveryResult } from '../domain/notification.js';
import { clean, cut, withoutSecrets } from '../render/neutralise.js';
import {
  type PagerDutyFollowUp,
  type PagerDutyTrigger,
  renderMinimalTrigger,
  renderPagerDutyFollowUp,
  renderPagerDutyTrigger,
} from '../render/page.js';
import { call } from './call.js';
import { outcomeOfStatus } from './http-outcome.js';
import { CALL_TIMEOUT_MS, type Delivery, type Receiver, type ReceiverDeps } from './receiver.js';

export type PagerDutyConfig = {
  readonly name: string;
  /** Secret. */
  readonly routingKey: string;
  /** `https://events.pagerduty.com/v2/enqueue`, or the EU's. */
  readonly eventsUrl: string;
};

const MAX_ANSWER_BYTES = 16 * 1024;

/** Sends pages, their acknowledgement and their resolve. `ref` is the dedup key. */
export function createPagerDutyReceiver(config: PagerDutyConfig, deps: ReceiverDeps): Receiver {
  const options = {
    routingKey: config.routingKey,
    publicUrl: deps.publicUrl,
    ...(deps.slo === undefined ? {} : { slo: deps.slo }),
  };

  async function deliver({ notification, view }: Delivery, signal: AbortSignal): Promise<DeliveryResult> {
    const { dedupKey } = view.episode;
    switch (notification.purpose) {
      // The same key again wakes nobody; what the page says is brought up to date.
      case 'page_update':
      case 'page': {
        const result = await send(renderPagerDutyTrigger(view, options), signal);
        // Refused for its content: formatting must never cost a page, so the bare one goes at once.
        const refused = result.kind === 'dead' && result.reason === 'client_error';
        if (!refused) return result;
        deps.logger.warn(
          { receiver: config.name, detail: result.detail },
          'page refused, sent without details',
        );
        return send(renderMinimalTrigger(view, options), signal);
      }
      case 'page_acknowledge':
        return send(renderPagerDutyFollowUp('acknowledge', dedupKey, config.routingKey), signal);
      case 'page_resolve':
        return send(renderPagerDutyFollowUp('resolve', dedupKey, config.routingKey), signal);
      case 'card':
      case 'verdict_reply':
      case 'webhook':
      case 'log':
        return { kind: 'dead', reason: 'client_error', detail: `a pager takes no ${notification.purpose}` };
    }
  }

  async function send(
    event: PagerDutyTrigger | PagerDutyFollowUp,
    signal: AbortSignal,
  ): Promise<DeliveryResult> {
    const outcome = await call({
      fetch: deps.fetch,
      clock: deps.clock,
      url: config.eventsUrl,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(event),
      timeoutMs: CALL_TIMEOUT_MS,
      maxAnswerBytes: MAX_ANSWER_BYTES,
      signal,
    });
    if (outcome.kind === 'failed') return { kind: 'retry', reason: outcome.reason, detail: outcome.detail };
    if (outcome.status === 202) return { kind: 'sent', ref: event.dedup_key };
    const said = withoutSecrets(cut(clean(outcome.text), 200), [config.routingKey]);
    const detail = `HTTP ${outcome.status}${said === '' ? '' : `: ${said}`}`;
    return outcomeOfStatus(outcome.status, detail, outcome.headers.get('retry-after'), deps.clock.now());
  }

  return { name: config.name, kind: 'pagerduty', deliver };
}
