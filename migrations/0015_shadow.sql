-- 1 where the message was decided and drawn in shadow mode, and nothing left the process.
alter table notifications add column shadow integer not null default 0 check (shadow in (0, 1));
