/** What the outbox knows of a destination: one function, and what every receiver is made of. */

import type { Clock } from '../domain/clock.js';
import type { IncidentView } from '../domain/incident-view.js';
import type { CardRef, DeliveryResult, Notification } from '../domain/notification.js';
import type { Logger } from '../log/logger.js';
import type { SloLookup } from '../render/headline.js';
import type { ReceiverKind } from '../routing/route-table.js';

export type Delivery = {
  readonly notification: Notification;
  /** The incident as it is now, its `episode` being the one that the notification is about. */
  readonly view: IncidentView;
  /** Where the incident's card lives at this receiver; null when none was posted. */
  readonly card: CardRef | null;
};

export type Receiver = {
  readonly name: string;
  readonly kind: ReceiverKind;
  /**
   * Makes one attempt and says what became of it. Never throws for anything the outside does and never retries:
   * the outbox alone does. Gives up when `signal` fires. No secret ever appears in the result.
   */
  readonly deliver: (delivery: Delivery, signal: AbortSignal) => Promise<DeliveryResult>;
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
