-- The one row says which database this is and how far it has come. A file beside the database remembers the same,
-- so that an empty, foreign or outdated database is not taken for ours.
create table database_identity (
  id integer primary key check (id = 1),
  -- Made once, with the database; a backup has the same.
  uuid text not null,
  -- Goes up with every start and every heartbeat.
  generation integer not null,
  -- When a process last wrote here. In a backup: how far it reaches.
  heartbeat_at integer not null,
  -- Of a database that was restored: when, and how far the backup reached. What happened between is known only to others.
  restored_at integer,
  restored_reach integer
);
