-- Through what a person acted ("Slack", "the API"); null for what the service did by itself.
alter table timeline add column via text;

-- One row is what one person thought of being told of an incident. Saying it again replaces it.
create table feedback (
  incident_id integer not null references incidents (id) on delete cascade,
  actor text not null,
  rating text not null check (rating in ('useful', 'noise')),
  comment text,
  at integer not null,
  primary key (incident_id, actor)
);
