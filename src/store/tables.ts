/** The tables as migrations/ leaves them, for Kysely. Column meanings stand beside the columns in the migrations. */

import type { ColumnType, Generated, Kysely, Transaction } from 'kysely';
import type { AlertStatus } from '../domain/alert.js';
import type { FeedbackRating } from '../domain/feedback.js';
import type { IncidentKind, IncidentState } from '../domain/incident.js';
import type { DeliveryReason, NotificationState, Purpose } from '../domain/notification.js';
import type { HealthStatus } from '../domain/serving-health.js';
import type { Severity } from '../domain/severity.js';
import type { TimelineKind } from '../domain/timeline.js';

/** Why an investigation is made. */
export type WorkTrigger = 'opened' | 'joined' | 'resolved' | 'asked';
export type WorkState = 'queued' | 'running' | 'done' | 'quarantined';

export type ReceiptsTable = {
  id: Generated<number>;
  received_at: number;
  source: string;
  kind: 'group' | 'unreadable';
  group_key: string | null;
  truncated_alerts: number;
  alert_count: number;
  quarantined_count: number;
  body: ColumnType<Uint8Array, Uint8Array, never>;
};

export type QuarantinedAlertsTable = {
  id: Generated<number>;
  receipt_id: number;
  incident_id: number | null;
  position: number;
  reason: string;
  raw: string;
};

export type IncidentsTable = {
  id: Generated<number>;
  source: string;
  alert_name: string;
  alert_key: string;
  severity: Severity;
  severity_note: string | null;
  scope: string;
  state: IncidentState;
  revision: Generated<number>;
  episode_id: Generated<number>;
  opened_at: number;
  acknowledged_at: number | null;
  acknowledged_by: string | null;
  resolved_at: number | null;
  resolved_by: string | null;
  reopened_count: Generated<number>;
  silenced: Generated<0 | 1>;
  recovering: Generated<0 | 1>;
  flapping: Generated<0 | 1>;
  in_storm: Generated<0 | 1>;
  silenced_by: Generated<string | null>;
  silenced_until: Generated<number | null>;
  silence_comment: Generated<string | null>;
  kind: Generated<IncidentKind>;
  cluster: Generated<string>;
  storm_id: number | null;
  folded_into: number | null;
  sure_verdict: string | null;
  cycles: Generated<string>;
};

export type StormsTable = {
  incident_id: number;
  cluster: string;
  started_at: number;
  last_opened_at: number;
  ended_at: number | null;
};

export type ServingHealthTable = { scope: string; at: number; overall: HealthStatus; report: string };

export type ServingHealthTransitionsTable = {
  id: Generated<number>;
  scope: string;
  at: number;
  from_status: HealthStatus | null;
  to_status: HealthStatus;
  says: string;
};

export type IncidentNamesTable = { incident_id: number; name: string };

export type EpisodesTable = {
  id: Generated<number>;
  incident_id: number;
  number: number;
  dedup_key: string;
  severity: Severity;
  started_at: number;
  ended_at: number | null;
  resolve_attempted_at: number | null;
  pager_resolved_at: number | null;
  pager_resolved_by: string | null;
  because: Generated<string | null>;
};

export type IncidentAlertsTable = {
  id: Generated<number>;
  incident_id: number;
  alert_key: string;
  fingerprint: string | null;
  name: string;
  status: AlertStatus;
  severity: Severity;
  labels: string;
  annotations: string;
  starts_at: number | null;
  ends_at: number | null;
  generator_url: string | null;
  expression: string | null;
  first_seen_at: number;
  last_seen_at: number;
  upstream: Generated<'active' | 'silenced' | 'inhibited' | 'muted' | null>;
  upstream_because: Generated<string | null>;
};

export type WorkTable = {
  id: Generated<number>;
  incident_id: number;
  episode_id: number;
  trigger: WorkTrigger;
  state: WorkState;
  due_at: number;
  attempts: Generated<number>;
  fence: Generated<number>;
  lease_until: number | null;
  last_error: string | null;
  created_at: number;
};

export type DiagnosesTable = {
  id: Generated<number>;
  incident_id: number;
  episode_id: number;
  trigger: WorkTrigger;
  started_at: number;
  finished_at: number;
  entry_id: string;
  entry_is_default: 0 | 1;
  enrichment: string;
  findings: string;
  verdict: string;
};

export type RecordingsTable = {
  id: Generated<number>;
  incident_id: number;
  diagnosis_id: number;
  format_version: number;
  recorded_at: number;
  body: ColumnType<Uint8Array, Uint8Array, never>;
};

export type NotificationsTable = {
  id: Generated<number>;
  incident_id: number;
  episode_id: number;
  receiver: string;
  purpose: Purpose;
  state: NotificationState;
  due_at: number;
  attempts: Generated<number>;
  fence: Generated<number>;
  lease_until: number | null;
  last_reason: string | null;
  ref: string | null;
  created_at: number;
  finished_at: number | null;
  umbrella_id: number | null;
  carrier_id: number | null;
  listed_at: number | null;
  admitted_at: number | null;
  climb_at: number | null;
  climbed_at: number | null;
  on_behalf_of: string | null;
  faults: Generated<number>;
  bare: Generated<number>;
  shadow: Generated<0 | 1>;
};

/** What a timer is about; its key and payload are those of the kind. */
export type TimerKind = 'reminder' | 'climb' | 'escalation' | 'watchdog';
export type TimerState = 'waiting' | 'firing' | 'fired' | 'dropped';

export type TimersTable = {
  id: Generated<number>;
  incident_id: number | null;
  episode_id: Generated<number>;
  kind: TimerKind;
  key: string;
  payload: string;
  state: TimerState;
  due_at: number;
  attempts: Generated<number>;
  fence: Generated<number>;
  lease_until: number | null;
  reason: string | null;
  created_at: number;
  finished_at: number | null;
  may_return: Generated<0 | 1>;
};

export type HeartbeatsTable = {
  alert_key: string;
  source: string;
  name: string;
  labels: string;
  last_seen_at: number;
  gaps: string;
  silent_since: number | null;
};

export type AccountsTable = {
  name: string;
  paused_until: number | null;
  failing_since: number | null;
  failing_reason: DeliveryReason | null;
  failing_detail: string | null;
};

export type AccountCallsTable = { id: Generated<number>; account: string; at: number };

export type CardsTable = {
  incident_id: number;
  receiver: string;
  channel: string;
  message_id: string;
  content_hash: string;
  updated_at: number;
};

export type TimelineTable = {
  id: Generated<number>;
  incident_id: number;
  at: number;
  kind: TimelineKind;
  text: string;
  actor: string;
  via: string | null;
};

export type FeedbackTable = {
  incident_id: number;
  actor: string;
  rating: FeedbackRating;
  comment: string | null;
  at: number;
};

export type DatabaseIdentityTable = {
  id: number;
  uuid: string;
  generation: number;
  heartbeat_at: number;
  restored_at: number | null;
  restored_reach: number | null;
};
export type CallbackProvider = 'slack' | 'pagerduty';

export type CallbacksTable = { provider: CallbackProvider; key: string; received_at: number };

export type Tables = {
  receipts: ReceiptsTable;
  serving_health: ServingHealthTable;
  serving_health_transitions: ServingHealthTransitionsTable;
  quarantined_alerts: QuarantinedAlertsTable;
  incidents: IncidentsTable;
  storms: StormsTable;
  incident_names: IncidentNamesTable;
  episodes: EpisodesTable;
  incident_alerts: IncidentAlertsTable;
  work: WorkTable;
  diagnoses: DiagnosesTable;
  recordings: RecordingsTable;
  notifications: NotificationsTable;
  timers: TimersTable;
  heartbeats: HeartbeatsTable;
  accounts: AccountsTable;
  account_calls: AccountCallsTable;
  cards: CardsTable;
  timeline: TimelineTable;
  feedback: FeedbackTable;
  database_identity: DatabaseIdentityTable;
  callbacks: CallbacksTable;
};

/** What store functions take first. Inside a transaction it must be that transaction: anything else waits for ever. */
export type Tx = Transaction<Tables> | Kysely<Tables>;
