/** What the rows of the outbox say about who was told, and why somebody was not. Pure. */

import { type DropCode, dropCodeOf, MAINTENANCE_WORDS } from '../domain/drop-reasons.js';
import { publicId } from '../domain/incident.js';
import type { Notification, Purpose } from '../domain/notification.js';
import type { Reason, ReasonCode } from '../domain/reasons.js';

export type ReceiverFacts = {
  /** Why a receiver accepts nothing at present; null when it does. */
  readonly troubleOf: (receiver: string) => string | null;
};

export type MessageFacts = {
  readonly notifications: readonly Notification[];
  readonly umbrellas: ReadonlyMap<number, 'storm' | 'bundle'>;
  readonly receivers: ReceiverFacts;
  readonly nowMs: number;
};

/** A page past due for so long was not claimed because it may not go, not because nobody looked. */
const CLAIMED_WITHIN_MS = 2000;

const WAKES: ReadonlySet<Purpose> = new Set(['page', 'page_again']);
/** Messages of their own; the others follow a page or a card and say nothing by themselves. */
const TELLS: ReadonlySet<Purpose> = new Set(['card', 'webhook', 'log']);

const FROM_DROP: Readonly<Partial<Record<DropCode, ReasonCode>>> = {
  not_critical: 'not_critical',
  page_closed: 'page_late',
  period_over: 'page_late',
  resolved: 'page_late',
  resolved_at_pager: 'resolved_at_pager',
  acknowledged: 'acknowledged',
  silenced: 'silenced',
  folded: 'folded',
  paged_anew: 'page_late',
};

export function explainMessages(facts: MessageFacts): Reason[] {
  const reasons: Reason[] = [];
  const told = new Set<string>();
  for (const one of facts.notifications) {
    if (WAKES.has(one.purpose)) reasons.push(...ofPage(one, facts));
    else if (TELLS.has(one.purpose)) {
      const reason = ofMessage(one);
      // A card is updated for ever; that it stands is told once.
      if (reason === null || told.has(`${reason.code} ${one.purpose} ${one.receiver}`)) continue;
      told.add(`${reason.code} ${one.purpose} ${one.receiver}`);
      reasons.push(reason);
    }
  }
  return reasons;
}

function ofPage(page: Notification, facts: MessageFacts): Reason[] {
  const at = (code: ReasonCode, detail: string, atMs = page.finishedAtMs ?? page.createdAtMs): Reason => ({
    code,
    detail,
    atMs,
    receiver: page.receiver,
  });
  const passedOn =
    page.onBehalfOf === null
      ? []
      : [
          at(
            'passed_on',
            `The page to ${page.onBehalfOf} was passed on to ${page.receiver}`,
            page.createdAtMs,
          ),
        ];
  return [...passedOn, ...ofState(page, facts, at)];
}

function ofState(
  page: Notification,
  facts: MessageFacts,
  at: (code: ReasonCode, detail: string) => Reason,
): Reason[] {
  const { receiver, umbrellaId, lastReason } = page;
  const what = page.purpose === 'page_again' ? 'second page' : 'page';
  if (umbrellaId !== null && (page.state === 'withheld' || page.state === 'sent')) {
    const umbrella = publicId(umbrellaId);
    if (page.listedAtMs !== null) {
      return [{ ...at('listed', `The page of ${umbrella} to ${receiver} names it`), atMs: page.listedAtMs }];
    }
    const code = facts.umbrellas.get(umbrellaId) === 'bundle' ? 'bundled' : 'in_umbrella';
    return [at(code, `${umbrella} speaks for it towards ${receiver}`)];
  }
  switch (page.state) {
    case 'sent':
      if (page.shadow) return [at('shadow', `The ${what} to ${receiver} would have been sent`)];
      return [
        at(page.bare ? 'sent_bare' : 'paged', `The ${what} was accepted by ${receiver}`),
        // Bare or not, somebody was woken.
        ...(page.bare ? [at('paged', `The ${what} was accepted by ${receiver}`)] : []),
      ];
    case 'dead':
      return [at('page_refused', lastReason ?? `${receiver} refused the ${what}`)];
    case 'dropped': {
      const code = dropCodeOf(lastReason ?? '');
      const reason = code === null ? undefined : FROM_DROP[code];
      const detail = `The ${what} to ${receiver} was not sent: ${lastReason ?? 'no reason was kept'}`;
      return reason === undefined ? [] : [at(reason, detail)];
    }
    case 'queued':
    case 'sending':
    case 'withheld':
      return [waiting(page, facts, at)];
  }
}

function waiting(
  page: Notification,
  { receivers, nowMs }: MessageFacts,
  at: (code: ReasonCode, detail: string) => Reason,
): Reason {
  const { receiver, attempts, dueAtMs, lastReason } = page;
  if (lastReason?.startsWith(MAINTENANCE_WORDS) === true) {
    return at('maintenance', `The page to ${receiver} waits: ${lastReason}`);
  }
  if (attempts > 0) {
    return at(
      'page_retrying',
      `${receiver} has not accepted it after ${attempts} tries: ${lastReason ?? ''}`,
    );
  }
  const overdue = page.state === 'queued' && nowMs - dueAtMs > CLAIMED_WITHIN_MS;
  if (!overdue) return at('page_waits', `The page to ${receiver} goes with its verdict, or at its deadline`);
  const trouble = receivers.troubleOf(receiver);
  return trouble === null
    ? at('budget_used', `The page to ${receiver} waits for room`)
    : at('receiver_in_trouble', trouble);
}

function ofMessage(one: Notification): Reason | null {
  const { receiver, purpose, state, lastReason } = one;
  const atMs = one.finishedAtMs ?? one.createdAtMs;
  const name = purpose === 'webhook' ? 'webhook call' : purpose === 'log' ? 'log entry' : 'card';
  if (state === 'sent' && one.shadow) {
    return { code: 'shadow', detail: `The ${name} to ${receiver} would have been sent`, atMs, receiver };
  }
  if (state === 'sent') {
    return { code: 'told', detail: `The ${name} was accepted by ${receiver}`, atMs, receiver };
  }
  if (state === 'dead') {
    return {
      code: 'not_told',
      detail: lastReason ?? `The ${name} to ${receiver} was given up`,
      atMs,
      receiver,
    };
  }
  return null;
}
