/** What the outbox knows of a destination: one function, and what every receiver is made of. */

import type { BareFacts } from '../domain/bare-facts.js';
import type { Clock } from '../domain/clock.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { CardRef, DeliveryResult, Notification, Purpose } from '../domain/notification.js';
import type { Logger } from '../log/logger.js';
import type { SloLookup } from '../render/headline.js';
import type { ReceiverKind } from '../routing/route-table.js';

export type Delivery = {
  readonly notification: Notification;
  /** The incident as it is now, its `episode` being the one that the notification is about. */
  readonly view: IncidentView;
  /** Where the incident's card lives at this receiver; null when none was posted. */
  readonly card: CardRef | null;
  /** Whether a second page of this episode may stand at this receiver, under its own key. */
  readonly secondPage: boolean;
};

/** A message for which nothing is read or drawn: the full one failed, was refused, or could not be stored. */
export type BareDelivery = {
  readonly purpose: Purpose;
  readonly facts: BareFacts;
  readonly card: CardRef | null;
  /** Whether a second page of this episode may stand at this receiver, under its own key. */
  readonly secondPage: boolean;
  /** The same on every attempt. */
  readonly idempotencyKey: string;
};

/** What a provider, or we for its sake, allow: at most `max` calls in any `perMs`, `reserved` of them for first tries of pages. */
export type Budget = { readonly max: number; readonly perMs: number; readonly reserved: number };

export type Receiver = {
  readonly name: string;
  readonly kind: ReceiverKind;
  /** Receivers with one key or channel share one account, and what it allows. Their own name when absent. */
  readonly account?: string;
  readonly budget?: Budget;
  /** Set in shadow mode: it accepts everything and sends nothing. */
  readonly shadow?: true;
  /** Receivers that are told in turn when this one does not accept a page; the default ladder when absent. */
  readonly ladder?: readonly string[];
  /**
   * Makes one attempt and says what became of it. Never throws for anything the outside does and never retries:
   * the outbox alone does. Gives up when `signal` fires. No secret ever appears in the result.
   */
  readonly deliver: (delivery: Delivery, signal: AbortSignal) => Promise<DeliveryResult>;
  /** The same with bare facts. Where its kind has no bare form the result is `unchanged`. */
  readonly deliverBare: (delivery: BareDelivery, signal: AbortSignal) => Promise<DeliveryResult>;
};

export type ReceiverDeps = {
  /** Base of our own pages for links; null = no links. */
  readonly publicUrl: string | null;
  /** Objectives by signal; the catalog's warning thresholds when absent. */
  readonly slo?: SloLookup;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** Longest a call to a provider may take, connection and answer included. */
export const CALL_TIMEOUT_MS = 5_000;
