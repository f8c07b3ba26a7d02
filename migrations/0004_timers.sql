-- One row is one thing that is due later whatever happens in between: a reminder, an escalation, the absence of a
-- Watchdog. It takes effect once, after asking whether it is still wanted.
create table timers (
  id integer primary key,
  -- Null for what is about no incident.
  incident_id integer references incidents (id) on delete cascade,
  -- 0 where incident_id is null.
  episode_id integer not null default 0,
  -- A closed list in the code (store/tables.ts).
  kind text not null,
  -- Tells timers of one kind and episode apart.
  key text not null,
  -- JSON; its shape follows from the kind.
  payload text not null,
  state text not null check (state in ('waiting', 'firing', 'fired', 'dropped')),
  due_at integer not null,
  attempts integer not null default 0,
  fence integer not null default 0,
  lease_until integer,
  -- Why it was dropped, or what became of it.
  reason text,
  created_at integer not null,
  finished_at integer
);
create unique index timers_once on timers (incident_id, episode_id, kind, key) where incident_id is not null;
create unique index timers_once_alone on timers (kind, key) where incident_id is null;
create index timers_due on timers (due_at) where state in ('waiting', 'firing');

-- One row is one Watchdog: an alert that always fires, so that its absence shows that alerts no longer arrive.
create table heartbeats (
  alert_key text primary key,
  source text not null,
  name text not null,
  labels text not null,
  last_seen_at integer not null,
  -- JSON array: the last gaps between two of them in ms, oldest first.
  gaps text not null,
  -- When its absence was raised; null while it is heard.
  silent_since integer
);

-- The purposes are a closed list in domain/notification.ts; listing them here as well would rebuild the table
-- with each new one.
create table notifications_next (
  id integer primary key,
  incident_id integer not null references incidents (id) on delete cascade,
  episode_id integer not null,
  receiver text not null,
  purpose text not null,
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
insert into notifications_next
  (id, incident_id, episode_id, receiver, purpose, state, due_at, attempts, fence, lease_until, last_reason, ref, created_at, finished_at)
  select id, incident_id, episode_id, receiver, purpose, state, due_at, attempts, fence, lease_until, last_reason, ref, created_at, finished_at
  from notifications;
drop table notifications;
alter table notifications_next rename to notifications;
create index notifications_due on notifications (due_at) where state in ('queued', 'sending');
create index notifications_incident on notifications (incident_id, id);
-- A trigger is stored once an episode and receiver, whatever is delivered twice, and so is the reminder of it. The
-- others may be stored again after they were dropped (a resolve that was held back because the alert fired again).
create unique index notifications_page_once on notifications (episode_id, receiver) where purpose = 'page';
create unique index notifications_second_page_once on notifications (episode_id, receiver) where purpose = 'page_again';
create unique index notifications_follow_up_once on notifications (episode_id, receiver, purpose)
  where purpose in ('page_acknowledge', 'page_resolve') and state <> 'dropped';
-- A card shows the present state, so one waiting update is enough.
create unique index notifications_waiting_card on notifications (incident_id, receiver) where purpose = 'card' and state = 'queued';
