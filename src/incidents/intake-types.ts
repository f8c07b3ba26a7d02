/** What intake is given, what it answers, and the state it plans on. */

import type { Alert, AlertGroup, AlertStatus } from '../domain/alert.js';
import type { Clock } from '../domain/clock.js';
import type { Cycle, FlappingRule } from '../domain/cycles.js';
import type { IncidentState } from '../domain/incident.js';
import type { Labels } from '../domain/labels.js';
import type { Scope } from '../domain/scope.js';
import type { Severity } from '../domain/severity.js';
import type { StormRule } from '../domain/storm.js';
import type { SureVerdict } from '../domain/sure-verdict.js';
import type { TimelineKind } from '../domain/timeline.js';
import type { Logger } from '../log/logger.js';
import type { ReceiverKind } from '../routing/route-table.js';
import type { Database, Tx } from '../store/database.js';
import type { EpisodeFacts } from '../store/incident-store.js';
import type { Explains } from './join-index.js';

/** One authenticated webhook call. */
export type IntakeInput = {
  readonly source: string;
  /** The body after content decoding, stored as it is. */
  readonly body: Uint8Array;
  /** Why the call is made though the sender did not make it; told wherever it changes something. */
  readonly note?: string;
  readonly parsed:
    | { readonly kind: 'group'; readonly group: AlertGroup }
    | { readonly kind: 'unreadable'; readonly reason: string };
};

/** What became of a call, committed. Counts are alerts. */
export type ReceiveOutcome = {
  readonly receiptId: number;
  /** Incidents that this call opened, changed or repeated, each once. */
  readonly incidentIds: readonly number[];
  readonly opened: number;
  readonly joined: number;
  readonly repeated: number;
  readonly resolved: number;
  /** Late copies, and resolves of what is not firing here. */
  readonly ignored: number;
  readonly quarantined: number;
};

export type ChosenRoute = { readonly receiver: string; readonly kind: ReceiverKind; readonly why?: string };

export type IntakeMetrics = {
  readonly committed: (batch: {
    readonly requests: number;
    readonly alerts: number;
    readonly quarantined: number;
    readonly unreadable: number;
    readonly tookMs: number;
  }) => void;
  readonly failed: (requests: number) => void;
};

/** A Watchdog that fires, as part of a call. */
export type Beat = { readonly source: string; readonly alert: Alert };

export type TakesHeartbeats = {
  /** Takes the Watchdogs out of a call; null when it holds none. */
  readonly split: (
    input: IntakeInput,
  ) => { readonly beats: readonly Beat[]; readonly rest: IntakeInput } | null;
  /** Remembers beats; returns what is to be received with them: the end of an absence. */
  readonly record: (tx: Tx, beats: readonly Beat[], nowMs: number) => Promise<IntakeInput[]>;
};

export type IntakeDeps = {
  readonly db: Database;
  readonly clock: Clock;
  readonly explains: Explains;
  /** Receivers for an incident; `labels.severity` is the severity as it was understood. */
  readonly route: (severity: Severity, labels: Labels) => readonly ChosenRoute[];
  /** A page waits this long for its verdict. */
  readonly pageDeadlineMs?: number;
  /** A re-fire this soon after the resolve reopens the incident. */
  readonly reopenWindowMs: number;
  /** A resolve waits this long before it goes to pagers; a re-fire in it continues the episode. */
  readonly resolveHoldMs: number;
  readonly flapping: FlappingRule;
  readonly storm: StormRule;
  /** Takes Watchdogs out of the calls; when absent they are alerts like any other. */
  readonly heartbeats?: TakesHeartbeats;
  /** Called after each commit: there may be work, and notifications may be due. */
  readonly onCommitted: () => void;
  /** Called after the commit of a group whose sender left alerts out. */
  readonly onTruncated?: (group: AlertGroup) => void;
  readonly logger: Logger;
  readonly metrics?: IntakeMetrics;
};

export type PlanOptions = Pick<IntakeDeps, 'explains' | 'reopenWindowMs' | 'resolveHoldMs'> & {
  readonly nowMs: number;
};

/** An incident while a batch is planned. Fields change in memory; `write-plan.ts` brings them to the database. */
export type PlannedIncident = {
  /** Null until it is stored. */
  id: number | null;
  readonly source: string;
  alertName: string;
  alertKey: string;
  severity: Severity;
  severityNote: string | null;
  readonly scope: Scope;
  /** Where it counts towards a storm; see domain/storm.ts. */
  readonly cluster: string;
  state: IncidentState;
  reopenedCount: number;
  episodeId: number;
  readonly acknowledgedAtMs: number | null;
  resolvedAtMs: number | null;
  /** When it fired and resolved lately. */
  cycles: readonly Cycle[];
  readonly flapping: boolean;
  /** The umbrella of the storm that it came with. */
  stormId: number | null;
  /** That storm is on, and its umbrella speaks for it. */
  inStorm: boolean;
  readonly names: Set<string>;
  sureVerdict: SureVerdict | null;
  /** Facts of the last episode; null for one that is new, or open and not flapping. */
  readonly facts: EpisodeFacts | null;
  /** Severity of the alert that leads, for electing another. */
  leadSeverity: Severity;
  readonly newNames: Set<string>;
  /** Something that a reader sees changed, be it only an alert more. */
  changed: boolean;
  /** Columns of its own changed as well: lead, severity or state. */
  rewritten: boolean;
  /** An episode that begins in this batch. */
  newEpisode: { readonly number: number; startsAtMs: number | null; dedupKey: string | null } | null;
  /** The episode goes on: its held resolve is withdrawn. */
  continued: boolean;
  severityRaised: boolean;
  /** Somebody had taken it before it became critical. */
  unacknowledged: boolean;
  /** Labels to route by, when somebody is to be told that it fires. */
  routeBy: Labels | null;
  /** A diagnosis of what is new, though the episode is not. */
  rediagnose: boolean;
  /** One of its alerts resolved, so it may be over. */
  mayBeOver: boolean;
};

/** An alert inside an incident while a batch is planned. */
export type PlannedAlert = {
  readonly incident: PlannedIncident;
  /** Null until it is stored. */
  readonly id: number | null;
  readonly alertKey: string;
  status: AlertStatus;
  startsAtMs: number | null;
  endsAtMs: number | null;
  lastSeenAtMs: number;
  /** What is to be stored; null when nothing, or only the time it was seen, changed. */
  write: Alert | null;
  touched: boolean;
};

/** Something that happened to an incident, told once for all alerts of one call that it happened to. */
export type Happening = {
  readonly incident: PlannedIncident;
  readonly kind: TimelineKind;
  readonly actor: string;
  /** The sentence; `count` alerts are added by the writer. */
  readonly text: string;
  count: number;
};
