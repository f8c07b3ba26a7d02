-- Flags stand beside the state: an incident may be acknowledged and silenced at once.

-- Alertmanager silences every alert of it that fires: nobody is paged or reminded.
alter table incidents add column silenced integer not null default 0 check (silenced in (0, 1));
-- It still fires, but its objective is met again.
alter table incidents add column recovering integer not null default 0 check (recovering in (0, 1));
-- It fires and resolves in turn.
alter table incidents add column flapping integer not null default 0 check (flapping in (0, 1));
-- An umbrella speaks for it and for its neighbours.
alter table incidents add column in_storm integer not null default 0 check (in_storm in (0, 1));
