-- Umbrellas are few, and each is looked at every second while it stands.
create index incidents_umbrellas on incidents (id) where kind <> 'problem' and state <> 'resolved';
