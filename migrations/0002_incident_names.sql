-- One row is one alert name that was ever part of an incident: joining asks for names, not for every alert.
create table incident_names (
  incident_id integer not null references incidents (id) on delete cascade,
  name text not null,
  primary key (incident_id, name)
);

-- A bad entry that is delivered with every repeat is told once.
create index quarantined_alerts_incident on quarantined_alerts (incident_id);
