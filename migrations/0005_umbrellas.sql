-- What an incident is: a problem, or an umbrella that speaks for several: a storm of one cluster, or a bundle of pages
-- beyond a receiver's ceiling.
alter table incidents add column kind text not null default 'problem' check (kind in ('problem', 'storm', 'bundle'));
-- Where it counts towards a storm; see domain/storm.ts.
alter table incidents add column cluster text not null default '';
-- The umbrella of the storm that it came with. It stays when the storm is over.
alter table incidents add column storm_id integer references incidents (id) on delete set null;
-- The incident that goes on for it.
alter table incidents add column folded_into integer references incidents (id) on delete set null;
-- JSON of domain/sure-verdict.ts: what the cause explains that is known of the present episode; null while none is.
alter table incidents add column sure_verdict text;
-- JSON of domain/cycles.ts: when it fired and resolved lately.
alter table incidents add column cycles text not null default '[]';
create index incidents_standing on incidents (cluster) where state <> 'resolved';
create index incidents_storm on incidents (storm_id) where storm_id is not null;
create index incidents_folded on incidents (folded_into) where folded_into is not null;
create index incidents_flapping on incidents (id) where flapping = 1;

-- One row is one storm; its umbrella is an incident.
create table storms (
  incident_id integer primary key references incidents (id) on delete cascade,
  cluster text not null,
  started_at integer not null,
  -- When the last incident was opened in it.
  last_opened_at integer not null,
  ended_at integer
);
-- A cluster has at most one storm at a time.
create unique index storms_open on storms (cluster) where ended_at is null;

-- A message may also be withheld: an umbrella speaks for it.
create table notifications_next (
  id integer primary key,
  incident_id integer not null references incidents (id) on delete cascade,
  episode_id integer not null,
  receiver text not null,
  purpose text not null,
  state text not null check (state in ('queued', 'sending', 'sent', 'dead', 'dropped', 'withheld')),
  due_at integer not null,
  attempts integer not null default 0,
  fence integer not null default 0,
  lease_until integer,
  last_reason text,
  -- What the receiver called the message (PagerDuty dedup_key, Slack ts).
  ref text,
  created_at integer not null,
  finished_at integer,
  -- The umbrella that speaks, or spoke, for it.
  umbrella_id integer references incidents (id) on delete set null,
  -- The umbrella's message under way that names it.
  carrier_id integer,
  -- When a message that names it was accepted.
  listed_at integer,
  -- When the page ceiling of its receiver let it go.
  admitted_at integer
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
-- A card shows the present state, so one waiting update is enough; so does what tells a pager of new members.
create unique index notifications_waiting_card on notifications (incident_id, receiver) where purpose = 'card' and state = 'queued';
create unique index notifications_waiting_update on notifications (incident_id, receiver) where purpose = 'page_update' and state = 'queued';
create index notifications_umbrella on notifications (umbrella_id, receiver) where umbrella_id is not null;
create index notifications_withheld on notifications (receiver) where state = 'withheld';
create index notifications_carrier on notifications (carrier_id) where carrier_id is not null;
-- What the ceilings count.
create index notifications_admitted on notifications (receiver, admitted_at) where admitted_at is not null;
