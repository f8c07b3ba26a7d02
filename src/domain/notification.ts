/**
 * One message to one receiver: a row of the outbox. A row holds ids and a purpose, never text:
 * it is rendered from the incident at send time, and dropped, with its reason, if it is no longer true.
 */

import { SECOND } from './clock.js';

/**
 * A page that its receiver did not accept for so long goes to the next rung of its ladder as well: from the first
 * try on, or from when it was due, where no try could be made.
 */
export const CLIMB_AFTER_MS = 30 * SECOND;

export const PURPOSES = [
  'page',
  'page_update',
  'page_again',
  'page_acknowledge',
  'page_resolve',
  'card',
  'verdict_reply',
  'reminder_reply',
  'answer_reply',
  'webhook',
  'log',
] as const;
/**
 * page: wake somebody, once an episode and receiver; on a ladder that may be a channel. page_update: tell the same
 * page, waking nobody, whom else it speaks for. page_again: wake them once more, since nobody took it.
 * page_acknowledge / page_resolve: tell the pager.
 * card: make the team's one message show the present state. verdict_reply: a verdict that came after the card.
 * reminder_reply: nobody took it, or it goes on to somebody; said below the card, since an update reaches no phone.
 * answer_reply: how things stand, below the card, for who pressed on it and could not be answered.
 */
export type Purpose = (typeof PURPOSES)[number];

export const NOTIFICATION_STATES = ['queued', 'sending', 'sent', 'dead', 'dropped', 'withheld'] as const;
/**
 * queued: due at `dueAtMs`. sending: leased by one process until `leaseUntilMs`; after that anybody may take it.
 * sent: the receiver accepted. dead: the receiver will never accept it. dropped: no longer true when its time came.
 * withheld: an umbrella speaks for it; sent with the umbrella's page, or queued again when that speaks no more.
 */
export type NotificationState = (typeof NOTIFICATION_STATES)[number];

export type Notification = {
  readonly id: number;
  readonly incidentId: number;
  readonly episodeId: number;
  readonly receiver: string;
  readonly purpose: Purpose;
  readonly state: NotificationState;
  readonly dueAtMs: number;
  /** Counts claims after which something may have been sent, or that ended it. */
  readonly attempts: number;
  /** Goes up with every claim; a result written under an older fence is refused. */
  readonly fence: number;
  readonly leaseUntilMs: number | null;
  readonly lastReason: string | null;
  readonly createdAtMs: number;
  readonly finishedAtMs: number | null;
  /** The umbrella that speaks, or spoke, for it. */
  readonly umbrellaId: number | null;
  /** When a message of the umbrella that names its incident was accepted. */
  readonly listedAtMs: number | null;
  /** When its receiver's page ceiling let it go; from its acceptance on, when that was. */
  readonly admittedAtMs: number | null;
  /** When a page goes to the next rung of its ladder as well, unless it is accepted by then; null before its first try. */
  readonly climbAtMs: number | null;
  /** When it did. */
  readonly climbedAtMs: number | null;
  /** The receiver whose ladder this page climbs; null for one that a route asked for. */
  readonly onBehalfOf: string | null;
  /** How often it could not be drawn, or the process died over it. */
  readonly faults: number;
  /** Sent from bare facts, without anything that had to be drawn. */
  readonly bare: boolean;
  /** Decided and drawn in shadow mode: `sent` then means that it would have been. */
  readonly shadow: boolean;
};

export type NewNotification = Pick<
  Notification,
  'incidentId' | 'episodeId' | 'receiver' | 'purpose' | 'dueAtMs' | 'createdAtMs'
> & {
  /** For a page on a ladder: the receiver whose ladder it is. */
  readonly onBehalfOf?: string;
  /** Stored withheld: this umbrella speaks for it. */
  readonly umbrellaId?: number;
};

/** Why a delivery failed; also the metric label. */
export const DELIVERY_REASONS = [
  'timeout',
  'rate_limited',
  'auth',
  'client_error',
  'server_error',
  'unreachable',
  'redirect',
  'bad_response',
] as const;
export type DeliveryReason = (typeof DELIVERY_REASONS)[number];

/** Where a card lives at its receiver, so that it can be updated in place. */
export type CardRef = { readonly channel: string; readonly messageId: string; readonly contentHash: string };

export type DeliveryResult =
  | {
      readonly kind: 'sent';
      readonly ref: string | null;
      readonly card?: CardRef;
      readonly note?: string;
      /** Nothing left the process: it would have been sent. */
      readonly shadow?: true;
    }
  | { readonly kind: 'unchanged'; readonly reason: string }
  | {
      readonly kind: 'retry';
      readonly reason: DeliveryReason;
      readonly detail: string;
      readonly afterMs?: number;
    }
  /** Its content was refused: the same again will be, the bare form may get through. */
  | { readonly kind: 'rejected'; readonly detail: string }
  | { readonly kind: 'dead'; readonly reason: DeliveryReason; readonly detail: string };
