/** What arrived from Alertmanager, after the foreign payload was read. */

import type { Labels } from './labels.js';
import type { Scope } from './scope.js';
import type { Severity } from './severity.js';

export type AlertStatus = 'firing' | 'resolved';

export type Alert = {
  /** Identity: sha256 hex of the source and the canonical labels. `startsAt` may differ between HA peers and is no part of it. */
  readonly alertKey: string;
  /** Alertmanager's own 64-bit hash, kept as information only. Null from senders before 0.19. */
  readonly fingerprint: string | null;
  /** The `alertname` label, or "(no alertname)". */
  readonly name: string;
  readonly status: AlertStatus;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly severity: Severity;
  /** Why the severity is not what a label plainly said; null when it is. */
  readonly severityNote: string | null;
  readonly scope: Scope;
  /** ms since 1970; null where the sender gave none or Go's zero time. */
  readonly startsAtMs: number | null;
  readonly endsAtMs: number | null;
  /** The rule's link, and its PromQL if the link carries one. */
  readonly generatorUrl: string | null;
  readonly expression: string | null;
};

/** An entry of `alerts[]` that could not be read: kept as text, shown, never fatal for its neighbours. */
export type QuarantinedAlert = { readonly index: number; readonly reason: string; readonly raw: string };

/** What one webhook call delivers. */
export type AlertGroup = {
  /** Name of the sender, from the credential it used: HA peers share one. */
  readonly source: string;
  readonly groupKey: string;
  /** What its alerts have in common by the sender's grouping. */
  readonly groupLabels: Labels;
  /** Unquoted receiver name. */
  readonly receiver: string;
  readonly externalUrl: string | null;
  /** How many alerts the sender cut off; absence from the body then proves nothing. */
  readonly truncatedAlerts: number;
  readonly alerts: readonly Alert[];
  readonly quarantined: readonly QuarantinedAlert[];
};
