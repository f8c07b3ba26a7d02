/**
 * Slack: one card an incident, posted once and updated in place, and the late verdict as a reply in its thread.
 *
 * chat.postMessage has no idempotency key: after an answer that never came, the message may stand. It carries
 * the incident's id as metadata, so before a second post the channel is asked, and a card found there is adopted.
 */

import { SECOND } from '../domain/clock.js';
import { publicId } from '../domain/incident.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { DeliveryResult } from '../domain/notification.js';
import { escapeSlack } from '../render/neutralise.js';
import { renderPlainText } from '../render/plain-text.js';
import { renderSlackAnswerReply } from '../render/slack-answer-reply.js';
import { renderSlackCard, type SlackBlock, type SlackCard } from '../render/slack-card.js';
import { slackMention } from '../render/slack-mention.js';
import { bareSlackText, renderSlackPage } from '../render/slack-page.js';
import { renderSlackReminder } from '../render/slack-reminder.js';
import { renderVerdictReply } from '../render/slack-reply.js';
import type { BareDelivery, Delivery, Receiver, ReceiverDeps } from './receiver.js';
import { createSlackCalls, type SlackCalls, type SlackMessageRef } from './slack-calls.js';
import type { SlackConfig } from './slack-config.js';
import { slackFailure } from './slack-outcome.js';

export type SlackReceiverDeps = ReceiverDeps & {
  /** Buttons of the card; none when absent. */
  readonly actions?: (view: IncidentView) => readonly SlackBlock[];
};

/** `ref` is the message's `ts`. Slack takes about one message a second and channel ("Rate limits"). */
export function createSlackReceiver(config: SlackConfig, deps: SlackReceiverDeps): Receiver {
  const mention = slackMention(config.mention);
  if (config.mention !== undefined && config.mention !== '' && mention === null) {
    deps.logger.warn(
      { receiver: config.name },
      'slack mention is neither a user, a group nor here: left out',
    );
  }
  const look = {
    publicUrl: deps.publicUrl,
    ...(deps.slo === undefined ? {} : { slo: deps.slo }),
    ...(deps.actions === undefined ? {} : { actions: deps.actions }),
  };

  async function deliver(delivery: Delivery, signal: AbortSignal): Promise<DeliveryResult> {
    const { notification } = delivery;
    const calls = createSlackCalls(config, deps, signal);
    try {
      switch (notification.purpose) {
        case 'card':
          return await deliverCard(delivery, calls);
        case 'verdict_reply':
        case 'reminder_reply':
        case 'answer_reply':
          return await deliverReply(delivery, calls);
        case 'page':
          return await deliverPage(delivery, calls);
        case 'page_update':
        case 'page_again':
        case 'page_acknowledge':
        case 'page_resolve':
          return SHOWN_BY_CARD;
        case 'webhook':
        case 'log':
          return { kind: 'dead', reason: 'client_error', detail: `Slack takes no ${notification.purpose}` };
      }
    } catch (error) {
      return failure(error, notification.attempts).outcome;
    }
  }

  async function deliverBare(
    { purpose, facts, card }: BareDelivery,
    signal: AbortSignal,
  ): Promise<DeliveryResult> {
    if (purpose !== 'card' && purpose !== 'page') return SHOWN_BY_CARD;
    const calls = createSlackCalls(config, deps, signal);
    const wakes = facts.severity === 'critical' && facts.state === 'open';
    const told = wakes && (purpose === 'page' || card === null) ? mention : null;
    const text = bareSlackText(facts, { publicUrl: deps.publicUrl, mention: told });
    const content = { text, blocks: [] };
    try {
      if (purpose === 'page') return { kind: 'sent', ref: (await calls.post(content, null)).ts };
      const at = card === null ? null : { channel: card.channel, ts: card.messageId };
      const ref = at === null ? await calls.post(content, null) : await calls.update(at, content);
      return {
        kind: 'sent',
        ref: ref.ts,
        // No card has this hash, so that the next change draws it anew.
        card: { channel: ref.channel, messageId: ref.ts, contentHash: 'bare' },
      };
    } catch (error) {
      // Sent bare on its first attempt of this form: a word that is not known is tried again.
      return failure(error, 1).outcome;
    }
  }

  function failure(error: unknown, attempts: number) {
    return slackFailure(error, { attempts, token: config.botToken, nowMs: deps.clock.now() });
  }

  async function deliverCard(delivery: Delivery, calls: SlackCalls): Promise<DeliveryResult> {
    const { notification, view, card } = delivery;
    const drawn = renderSlackCard(view, look);
    if (card !== null) {
      if (card.contentHash === drawn.contentHash)
        return { kind: 'unchanged', reason: 'the card shows this already' };
      return updateCard({ channel: card.channel, ts: card.messageId }, drawn, delivery, calls);
    }
    if (notification.attempts > 1) {
      const found = await lookUp(
        () => calls.findCard(publicId(view.incident.id), view.incident.openedAtMs),
        delivery,
      );
      if (found !== null) return updateCard(found, drawn, delivery, calls);
    }
    const { incident } = view;
    const first = incident.severity === 'critical' && incident.state === 'open';
    return postCard(
      first && mention !== null ? renderSlackCard(view, { ...look, mention }) : drawn,
      delivery,
      calls,
    );
  }

  async function postCard(drawn: SlackCard, delivery: Delivery, calls: SlackCalls): Promise<DeliveryResult> {
    const posted = await withPlainFallback(delivery, drawn, (content) => calls.post(content, null));
    return sent(posted.ref, drawn, posted.note);
  }

  async function updateCard(
    at: SlackMessageRef,
    drawn: SlackCard,
    delivery: Delivery,
    calls: SlackCalls,
  ): Promise<DeliveryResult> {
    try {
      const updated = await withPlainFallback(delivery, drawn, (content) => calls.update(at, content));
      return sent(updated.ref, drawn, updated.note);
    } catch (error) {
      if (!failure(error, delivery.notification.attempts).gone) throw error;
      deps.logger.warn(
        { receiver: config.name, incidentId: delivery.view.incident.id },
        'slack card is gone, posted anew',
      );
      return postCard(drawn, delivery, calls);
    }
  }

  function sent(ref: SlackMessageRef, drawn: SlackCard, note: string | null): DeliveryResult {
    return {
      kind: 'sent',
      ref: ref.ts,
      card: { channel: ref.channel, messageId: ref.ts, contentHash: drawn.contentHash },
      ...(note === null ? {} : { note }),
    };
  }

  /** An alert is never lost to formatting: what Slack refuses as blocks goes as text at once. */
  async function withPlainFallback(
    delivery: Delivery,
    content: SlackContent,
    send: (content: SlackContent) => Promise<SlackMessageRef>,
  ): Promise<{ ref: SlackMessageRef; note: string | null }> {
    try {
      return { ref: await send(content), note: null };
    } catch (error) {
      const { content: isContent, outcome } = failure(error, delivery.notification.attempts);
      if (!isContent) throw error;
      deps.logger.error(
        { receiver: config.name, incidentId: delivery.view.incident.id, detail: outcome.detail },
        'slack refused the blocks, sent as text',
      );
      const text = escapeSlack(
        renderPlainText(delivery.view, { ...look, columns: Number.POSITIVE_INFINITY }),
      ).slice(0, 3_500);
      return { ref: await send({ text, blocks: [] }), note: `as plain text: ${outcome.detail}` };
    }
  }

  async function deliverReply(delivery: Delivery, calls: SlackCalls): Promise<DeliveryResult> {
    const { notification, card } = delivery;
    // The card itself will show the verdict, whenever it is posted.
    if (card === null) return { kind: 'unchanged', reason: 'no card to reply to' };
    const parent = { channel: card.channel, ts: card.messageId };
    const reply = replyOf(delivery);
    if (notification.attempts > 1) {
      const found = await lookUp(() => calls.findReply(parent, reply.metadata), delivery);
      if (found !== null) return { kind: 'sent', ref: found.ts, note: 'found in the thread' };
    }
    const ref = await calls.post(reply, parent);
    return { kind: 'sent', ref: ref.ts };
  }

  function replyOf({ notification, view }: Delivery) {
    const { severity, state } = view.incident;
    if (notification.purpose === 'answer_reply') {
      return renderSlackAnswerReply(view, { notificationId: notification.id });
    }
    if (notification.purpose === 'reminder_reply') {
      const told = state === 'resolved' ? null : mention;
      return renderSlackReminder(view, { ...look, notificationId: notification.id, mention: told });
    }
    const told = severity === 'critical' && state === 'open' ? mention : null;
    return renderVerdictReply(view, { ...look, mention: told });
  }

  async function deliverPage(delivery: Delivery, calls: SlackCalls): Promise<DeliveryResult> {
    const { notification, view } = delivery;
    const page = renderSlackPage(view, { ...look, mention, ...whyInChannel(delivery) });
    if (notification.attempts > 1) {
      const { event_payload: payload } = page.metadata;
      const found = await lookUp(() => calls.findPage(payload, view.episode.startedAtMs), delivery);
      if (found !== null) return { kind: 'sent', ref: found.ts, note: 'found in the channel' };
    }
    const { ref, note } = await withPlainFallback(delivery, page, (content) => calls.post(content, null));
    return { kind: 'sent', ref: ref.ts, ...(note === null ? {} : { note }) };
  }

  /** A ladder leads here when a pager did not take the page, or took it and nobody answered. */
  function whyInChannel({ notification: { onBehalfOf }, view }: Delivery) {
    const taken = onBehalfOf !== null && view.pagedReceivers.includes(onBehalfOf);
    return { notTakenBy: taken ? null : onBehalfOf, notAnsweredBy: taken ? onBehalfOf : null };
  }

  /** Without the scope to read the channel a doubled card is possible; a missing one would be worse. */
  async function lookUp(
    ask: () => Promise<SlackMessageRef | null>,
    delivery: Delivery,
  ): Promise<SlackMessageRef | null> {
    try {
      return await ask();
    } catch (error) {
      const { outcome } = failure(error, delivery.notification.attempts);
      if (outcome.kind === 'retry') throw error;
      deps.logger.warn(
        { receiver: config.name, incidentId: delivery.view.incident.id, detail: outcome.detail },
        'slack channel cannot be read: an earlier message, if any, is not found',
      );
      return null;
    }
  }

  return {
    name: config.name,
    kind: 'slack',
    budget: { max: 1, perMs: SECOND, reserved: 0 },
    ...(config.account === undefined ? {} : { account: config.account }),
    deliver,
    deliverBare,
  };
}

const SHOWN_BY_CARD: DeliveryResult = { kind: 'unchanged', reason: 'the card shows it' };

type SlackContent = Parameters<SlackCalls['post']>[0];
