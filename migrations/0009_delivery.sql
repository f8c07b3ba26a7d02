-- When a page goes to the next rung of its ladder as well, unless it is accepted by then (null before its first try),
-- and when it did.
alter table notifications add column climb_at integer;
alter table notifications add column climbed_at integer;
-- The receiver whose ladder this page climbs; null for one that a route asked for.
alter table notifications add column on_behalf_of text;
-- How often it could not be drawn or took the process with it, and whether it is sent in its bare form since.
alter table notifications add column faults integer not null default 0;
alter table notifications add column bare integer not null default 0 check (bare in (0, 1));

create index notifications_climb on notifications (due_at)
  where purpose = 'page' and climbed_at is null and state in ('queued', 'sending');
-- Each receiver is asked for by itself, so that thousands of waiting cards are not read to find a page.
drop index notifications_due;
create index notifications_due on notifications (receiver, due_at) where state in ('queued', 'sending');

-- One row is an account at a provider (a PagerDuty key, a Slack channel): what a restart must not forget of it.
create table accounts (
  name text primary key,
  -- It asked to be left alone until then.
  paused_until integer,
  -- Since when it accepts nothing, why in its last words, and the class of the failure; null while it accepts.
  failing_since integer,
  failing_reason text,
  failing_detail text
);

-- One row is one call that counts against an account's budget; kept for a few minutes.
create table account_calls (
  id integer primary key,
  account text not null,
  at integer not null
);
create index account_calls_at on account_calls (account, at);
