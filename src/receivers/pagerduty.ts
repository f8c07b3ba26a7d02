/**
 * PagerDuty Events API v2. Retrying is safe because every event carries the episode's dedup key. 202 is the
 * only acceptance (developer.pagerduty.com, "Events API v2 Overview"); the routing key is the credential.
 */

import { MINUTE } from '../domain/clock.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { DeliveryResult, Notification, Purpose } from '../domain/notification.js';
import { secondPageKey } from '../domain/second-page.js';
import { barePagerDutyTrigger } from '../render/bare-message.js';
import { minutesBetween } from '../render/duration.js';
import { clean, cut, withoutSecrets } from '../render/neutralise.js';
import {
  type PageOptions,
  type PagerDutyFollowUp,
  type PagerDutyTrigger,
  renderPagerDutyFollowUp,
  renderPagerDutyTrigger,
} from '../render/page.js';
import { call } from './call.js';
import { outcomeOfStatus } from './http-outcome.js';
import {
  type BareDelivery,
  CALL_TIMEOUT_MS,
  type Delivery,
  type Receiver,
  type ReceiverDeps,
} from './receiver.js';

export type PagerDutyConfig = {
  readonly name: string;
  /** Secret. */
  readonly routingKey: string;
  /** `https://events.pagerduty.com/v2/enqueue`, or the EU's. */
  readonly eventsUrl: string;
  /** Events that may go to this key in any minute; 60 when absent. */
  readonly eventsPerMinute?: number;
  readonly account?: string;
  readonly ladder?: readonly string[];
};

const MAX_ANSWER_BYTES = 16 * 1024;

/** "Invalid event", too large, not understood: another form of the same page may be taken. */
const REFUSES_CONTENT: ReadonlySet<number> = new Set([400, 413, 422]);

/**
 * Half of what PagerDuty takes a minute and key ("Events API v2", rate limits: about 120), so that others who
 * use the key are not starved; a third of it is kept for criticals that nobody was told of yet.
 */
const EVENTS_PER_MINUTE = 60;
const RESERVED_SHARE = 1 / 3;

/** Sends pages, their acknowledgement and their resolve. `ref` is the dedup key. */
export function createPagerDutyReceiver(config: PagerDutyConfig, deps: ReceiverDeps): Receiver {
  const options = {
    routingKey: config.routingKey,
    publicUrl: deps.publicUrl,
    ...(deps.slo === undefined ? {} : { slo: deps.slo }),
  };

  async function deliver(
    { notification, view, secondPage }: Delivery,
    signal: AbortSignal,
  ): Promise<DeliveryResult> {
    const { purpose } = notification;
    if (!isTrigger(purpose)) return followUp(purpose, keysOf(view.episode.dedupKey, secondPage), signal);
    return send(renderPagerDutyTrigger(view, { ...options, ...again(notification, view) }), signal);
  }

  /** A page that comes because nobody took an earlier one says so; the second one here has a key of its own. */
  function again(notification: Notification, view: IncidentView): Pick<PageOptions, 'dedupKey' | 'note'> {
    const unheardMs = deps.clock.now() - view.episode.startedAtMs;
    const noAck = `no ack ${minutesBetween(0, unheardMs)}`;
    if (notification.purpose === 'page_again') {
      return { dedupKey: secondPageKey(view.episode.dedupKey), note: `2nd page, ${noAck}` };
    }
    if (notification.purpose === 'page_update') return {};
    const isEscalation = view.timeline.some(
      (entry) => entry.kind === 'escalated' && entry.atMs === notification.createdAtMs,
    );
    if (isEscalation) return { note: `escalated, ${minutesBetween(0, unheardMs)}` };
    const passedOn = view.pagedReceivers.some((name) => name !== config.name) && unheardMs >= MINUTE;
    return passedOn && view.incident.state === 'open' ? { note: noAck } : {};
  }

  async function deliverBare(
    { purpose, facts, secondPage }: BareDelivery,
    signal: AbortSignal,
  ): Promise<DeliveryResult> {
    if (!isTrigger(purpose)) return followUp(purpose, keysOf(facts.dedupKey, secondPage), signal);
    const dedupKey = purpose === 'page_again' ? secondPageKey(facts.dedupKey) : facts.dedupKey;
    return send(barePagerDutyTrigger({ ...facts, dedupKey }, options), signal);
  }

  async function followUp(
    purpose: Exclude<Purpose, Trigger>,
    keys: readonly [string, ...string[]],
    signal: AbortSignal,
  ): Promise<DeliveryResult> {
    switch (purpose) {
      case 'page_acknowledge':
        return sendEach('acknowledge', keys, signal);
      case 'page_resolve':
        return sendEach('resolve', keys, signal);
      case 'card':
      case 'verdict_reply':
      case 'reminder_reply':
      case 'answer_reply':
      case 'webhook':
      case 'log':
        return { kind: 'dead', reason: 'client_error', detail: `a pager takes no ${purpose}` };
    }
  }

  /** Each page of the episode stands open at the pager by itself. Sending one again changes nothing there. */
  async function sendEach(
    action: 'acknowledge' | 'resolve',
    [key, ...further]: readonly [string, ...string[]],
    signal: AbortSignal,
  ): Promise<DeliveryResult> {
    for (const other of further) {
      const result = await send(renderPagerDutyFollowUp(action, other, config.routingKey), signal);
      if (result.kind !== 'sent') return result;
    }
    return send(renderPagerDutyFollowUp(action, key, config.routingKey), signal);
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
    // A follow-up has no content that could be left out.
    if (REFUSES_CONTENT.has(outcome.status) && event.event_action === 'trigger')
      return { kind: 'rejected', detail };
    return outcomeOfStatus(outcome.status, detail, outcome.headers.get('retry-after'), deps.clock.now());
  }

  const max = config.eventsPerMinute ?? EVENTS_PER_MINUTE;
  return {
    name: config.name,
    kind: 'pagerduty',
    budget: { max, perMs: MINUTE, reserved: Math.floor(max * RESERVED_SHARE) },
    ...(config.account === undefined ? {} : { account: config.account }),
    ...(config.ladder === undefined ? {} : { ladder: config.ladder }),
    deliver,
    deliverBare,
  };
}

/** The same key again wakes nobody; what the page says is brought up to date. */
type Trigger = 'page' | 'page_update' | 'page_again';

function isTrigger(purpose: Purpose): purpose is Trigger {
  return purpose === 'page' || purpose === 'page_update' || purpose === 'page_again';
}

/** What stands open at the pager for one episode. */
function keysOf(dedupKey: string, secondPage: boolean): readonly [string, ...string[]] {
  return secondPage ? [dedupKey, secondPageKey(dedupKey)] : [dedupKey];
}
