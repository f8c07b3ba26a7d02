-- What Alertmanager says of an alert that it does not deliver, as of the last time it was asked: null when it
-- was not asked yet, or when the alert was delivered anew since.
alter table incident_alerts add column upstream text check (upstream in ('active', 'silenced', 'inhibited', 'muted'));
-- By whom: "mia until 04:18 UTC: draining", or the inhibiting alert.
alter table incident_alerts add column upstream_because text;

-- The silence that ends first of those that cover an incident whose flag `silenced` is set.
alter table incidents add column silenced_by text;
alter table incidents add column silenced_until integer;
alter table incidents add column silence_comment text;

-- Why a period is told as a new one though its alerts kept firing ("silence by mia ended"); null when they began to fire.
alter table episodes add column because text;
