-- When and by whom the pager's own incident was resolved while ours went on: no trigger stored before that may follow.
alter table episodes add column pager_resolved_at integer;
alter table episodes add column pager_resolved_by text;
