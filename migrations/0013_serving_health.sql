-- One row is the newest report of one served scope.
create table serving_health (
  scope text not null primary key,
  at integer not null,
  overall text not null check (overall in ('healthy', 'warning', 'critical', 'unknown')),
  report text not null
);

-- Append only. One row is one change of a scope's overall status. `from_status` is null for the first one.
create table serving_health_transitions (
  id integer primary key,
  scope text not null,
  at integer not null,
  from_status text check (from_status in ('healthy', 'warning', 'critical', 'unknown')),
  to_status text not null check (to_status in ('healthy', 'warning', 'critical', 'unknown')),
  says text not null
);
create index serving_health_transitions_at on serving_health_transitions (at);
