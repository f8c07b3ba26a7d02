-- A timer that was dropped for a reason that may pass (resolved, acknowledged, silenced) is planned anew when it did.
alter table timers add column may_return integer not null default 0 check (may_return in (0, 1));
create index timers_returning on timers (incident_id) where may_return = 1;
