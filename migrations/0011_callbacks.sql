-- One row is one signed call from outside that was acted upon, so that a copy of it does nothing.
create table callbacks (
  provider text not null check (provider in ('slack', 'pagerduty')),
  -- Slack: the signature. PagerDuty: the event's id.
  key text not null,
  received_at integer not null,
  primary key (provider, key)
);
create index callbacks_received_at on callbacks (received_at);
