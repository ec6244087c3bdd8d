-- SPDX-License-Identifier: GPL-3.0-or-later
-- Moves a failed job to history as dead or dropped, with its reason and an event.
-- $1 bigint id   $2 bigint lease_token   $3 jsonb error   $4 text outcome, dead or dropped
-- rows: 1 (buried) or 0 (the lease was lost)   locks: that job row
with ended as (
    delete from jobs where id = $1::bigint and lease_token = $2::bigint
    returning id, kind, subject, payload, tries, worker, created_at
), kept as (
    insert into job_history (id, kind, subject, payload, outcome, tries, worker, error, created_at)
    select id, kind, subject, payload, $4::text, tries, worker, $3::jsonb, created_at from ended
    returning id, kind, subject, worker
)
select id, job_event(id, kind, subject, 'job.' || $4::text, worker, $3::jsonb)::text from kept;
