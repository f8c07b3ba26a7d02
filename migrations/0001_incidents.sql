-- Times are ms since 1970-01-01 UTC. JSON is text. Statements keep to what SQLite and PostgreSQL share.

-- One row is one webhook body as it arrived, committed before its 200.
create table receipts (
  id integer primary key,
  received_at integer not null,
  source text not null,
  kind text not null check (kind in ('group', 'unreadable')),
  group_key text,
  truncated_alerts integer not null default 0,
  alert_count integer not null default 0,
  quarantined_count integer not null default 0,
  -- The raw bytes, as received after content decoding.
  body blob not null
);
create index receipts_received_at on receipts (received_at);

-- One row is one entry of a body's alerts[] that could not be read, kept for a human.
create table quarantined_alerts (
  id integer primary key,
  receipt_id integer not null references receipts (id) on delete cascade,
  incident_id integer,
  position integer not null,
  reason text not null,
  raw text not null
);

-- One row is our record of one problem over time (public id INC-<id>).
create table incidents (
  id integer primary key,
  source text not null,
  alert_name text not null,
  alert_key text not null,
  severity text not null check (severity in ('critical', 'warning', 'info')),
  severity_note text,
  scope text not null,
  state text not null check (state in ('open', 'acknowledged', 'resolved')),
  -- Counts every visible change.
  revision integer not null default 1,
  -- The episode that is running, or ran last.
  episode_id integer not null default 0,
  opened_at integer not null,
  acknowledged_at integer,
  acknowledged_by text,
  resolved_at integer,
  resolved_by text,
  reopened_count integer not null default 0
);
create index incidents_open on incidents (source, state);
create index incidents_opened_at on incidents (opened_at, id);
create index incidents_resolved_at on incidents (resolved_at);
create index incidents_alert_key on incidents (alert_key);

-- One row is one firing period of an incident; the pager collapses on dedup_key.
create table episodes (
  id integer primary key,
  incident_id integer not null references incidents (id) on delete cascade,
  number integer not null,
  dedup_key text not null unique,
  severity text not null check (severity in ('critical', 'warning', 'info')),
  started_at integer not null,
  ended_at integer,
  -- Set before the first resolve goes to a pager: from then on no trigger of this episode is sent.
  resolve_attempted_at integer,
  unique (incident_id, number)
);

-- One row is one alert (by identity) inside one incident.
create table incident_alerts (
  id integer primary key,
  incident_id integer not null references incidents (id) on delete cascade,
  alert_key text not null,
  fingerprint text,
  name text not null,
  status text not null check (status in ('firing', 'resolved')),
  severity text not null check (severity in ('critical', 'warning', 'info')),
  labels text not null,
  annotations text not null,
  starts_at integer,
  ends_at integer,
  generator_url text,
  expression text,
  first_seen_at integer not null,
  last_seen_at integer not null
);
-- Keys are hashes, so each insert touches a random page of this index: it is the only one that holds them.
create unique index incident_alerts_key on incident_alerts (alert_key, incident_id);
create index incident_alerts_incident on incident_alerts (incident_id, status);

-- One row is one investigation to be made, durable until it is done.
create table work (
  id integer primary key,
  incident_id integer not null references incidents (id) on delete cascade,
  episode_id integer not null,
  trigger text not null check (trigger in ('opened', 'joined', 'resolved', 'asked')),
  state text not null check (state in ('queued', 'running', 'done', 'quarantined')),
  due_at integer not null,
  attempts integer not null default 0,
  fence integer not null default 0,
  lease_until integer,
  last_error text,
  created_at integer not null
);
create index work_due on work (due_at) where state in ('queued', 'running');

-- One row is the outcome of one investigation.
create table diagnoses (
  id integer primary key,
  incident_id integer not null references incidents (id) on delete cascade,
  episode_id integer not null,
  trigger text not null check (trigger in ('opened', 'joined', 'resolved', 'asked')),
  started_at integer not null,
  finished_at integer not null,
  entry_id text not null,
  entry_is_default integer not null check (entry_is_default in (0, 1)),
  enrichment text not null,
  findings text not null,
  verdict text not null
);
create index diagnoses_incident on diagnoses (incident_id, id);

-- One row is the frozen evidence of one diagnosis: every catalog signal of the scope, gzip of JSON.
create table recordings (
  id integer primary key,
  incident_id integer not null references incidents (id) on delete cascade,
  diagnosis_id integer not null unique references diagnoses (id) on delete cascade,
  format_version integer not null,
  recorded_at integer not null,
  body blob not null
);
create index recordings_incident on recordings (incident_id, id);

-- One row is one message to one receiver. It holds no text: that is rendered when it is sent.
create table notifications (
  id integer primary key,
  incident_id integer not null references incidents (id) on delete cascade,
  episode_id integer not null,
  receiver text not null,
  purpose text not null check (purpose in ('page', 'page_acknowledge', 'page_resolve', 'card', 'verdict_reply', 'webhook', 'log')),
  state text not null check (state in ('queued', 'sending', 'sent', 'dead', 'dropped')),
  due_at integer not null,
  attempts integer not null default 0,
  fence integer not null default 0,
  lease_until integer,
  last_reason text,
  -- What the receiver called the message (PagerDuty dedup_key, Slack ts).
  ref text,
  created_at integer not null,
  finished_at integer
);
create index notifications_due on notifications (due_at) where state in ('queued', 'sending');
create index notifications_incident on notifications (incident_id, id);
-- A trigger is stored once an episode and receiver, whatever is delivered twice. The others may be stored
-- again after they were dropped (a resolve that was held back because the alert fired again).
create unique index notifications_page_once on notifications (episode_id, receiver) where purpose = 'page';
create unique index notifications_follow_up_once on notifications (episode_id, receiver, purpose)
  where purpose in ('page_acknowledge', 'page_resolve') and state <> 'dropped';
-- A card shows the present state, so one waiting update is enough.
create unique index notifications_waiting_card on notifications (incident_id, receiver) where purpose = 'card' and state = 'queued';

-- One row is the one message of an incident at a receiver that can be updated in place.
create table cards (
  incident_id integer not null references incidents (id) on delete cascade,
  receiver text not null,
  channel text not null,
  message_id text not null,
  content_hash text not null,
  updated_at integer not null,
  primary key (incident_id, receiver)
);

-- Append only. One row is one thing that happened to an incident.
create table timeline (
  id integer primary key,
  incident_id integer not null references incidents (id) on delete cascade,
  at integer not null,
  kind text not null,
  text text not null,
  actor text not null
);
create index timeline_incident on timeline (incident_id, id);
