-- SPDX-License-Identifier: GPL-3.0-or-later
-- Adds a job unless a live one of its kind has the same key, and wakes the workers when it is due at once.
-- $1 text kind   $2 text subject   $3 text key or null   $4 jsonb payload or null   $5 int priority   $6 int delay_ms   $7 int max_tries
-- rows: 1 (the job's id, null when there was one already; the wake-up)   locks: none but the new row's
with added as (
    insert into jobs (kind, subject, key, payload, priority, run_at, max_tries)
    values ($1::text, $2::text, $3::text, coalesce($4::jsonb, '{}'), $5::int, now() + $6::int * interval '1 ms', $7::int)
    on conflict (kind, key) where key is not null do nothing
    returning id, run_at
)
select (select id from added),
       (select pg_notify('statuette_jobs', '')::text from added where run_at <= now());
