-- Deleting what is old asks for rows by what they belong to; without these, each deleted row would read a whole table.
create index work_incident on work (incident_id);
create index quarantined_alerts_receipt on quarantined_alerts (receipt_id);
create index recordings_recorded_at on recordings (recorded_at);
