/**
 * One message to one receiver: a row of the outbox. A row holds ids and a purpose, never text:
 * it is rendered from the incident at send time, and dropped, with its reason, if it is no longer true.
 */

export const PURPOSES = [
  'page',
  'page_update',
  'page_acknowledge',
  'page_resolve',
  'card',
  'verdict_reply',
  'webhook',
  'log',
] as const;
/**
 * page: wake somebody, once an episode. page_update: tell the same page, waking nobody, whom else it speaks for.
 * page_acknowledge / page_resolve: tell the pager.
 * card: make the team's one message show the present state. verdict_reply: a verdict that came after the card.
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
};

export type NewNotification = Pick<
  Notification,
  'incidentId' | 'episodeId' | 'receiver' | 'purpose' | 'dueAtMs' | 'createdAtMs'
>;

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
  | { readonly kind: 'sent'; readonly ref: string | null; readonly card?: CardRef; readonly note?: string }
  | { readonly kind: 'unchanged'; readonly reason: string }
  | {
      readonly kind: 'retry';
      readonly reason: DeliveryReason;
      readonly detail: string;
      readonly afterMs?: number;
    }
  | { readonly kind: 'dead'; readonly reason: DeliveryReason; readonly detail: string };
