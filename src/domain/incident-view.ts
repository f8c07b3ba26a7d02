/** Everything any medium shows about one incident, read in one go. Renderers take this and nothing else. */

import type { AlertStatus } from './alert.js';
import type { Episode, Incident } from './incident.js';
import type { Labels } from './labels.js';
import type { Severity } from './severity.js';
import type { TimelineEntry } from './timeline.js';
import type { UmbrellaView } from './umbrella.js';
import type { Diagnosis } from './verdict.js';

/** What Alertmanager says of an alert: `active` is delivered, the others are held back, `because` says by whom. */
export type Upstream = {
  readonly state: 'active' | 'silenced' | 'inhibited' | 'muted';
  readonly because: string | null;
};

export type IncidentAlert = {
  readonly alertKey: string;
  readonly name: string;
  readonly status: AlertStatus;
  readonly severity: Severity;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAtMs: number | null;
  readonly endsAtMs: number | null;
  readonly generatorUrl: string | null;
  readonly expression: string | null;
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  /** Null when Alertmanager was not asked since it was delivered. */
  readonly upstream: Upstream | null;
};

export type IncidentView = {
  /** Its `silence` is null as soon as one of its alerts was delivered in spite of it. */
  readonly incident: Incident;
  readonly episode: Episode;
  /** Firing first, then by first seen. At most 50; `alertCount` is the true number. */
  readonly alerts: readonly IncidentAlert[];
  readonly alertCount: number;
  readonly firingCount: number;
  /** Newest diagnosis made while firing; null while none is finished. */
  readonly diagnosis: Diagnosis | null;
  /** The one made when it resolved. */
  readonly afterDiagnosis: Diagnosis | null;
  /** Oldest first, at most 200, newest kept. */
  readonly timeline: readonly TimelineEntry[];
  /** Receivers that accepted a page of the present episode. */
  readonly pagedReceivers: readonly string[];
  /** What an umbrella speaks for; null for a problem. */
  readonly umbrella: UmbrellaView | null;
};
