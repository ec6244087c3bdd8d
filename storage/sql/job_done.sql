-- SPDX-License-Identifier: GPL-3.0-or-later
-- Moves a job to history as done, if the lease is still the worker's.
-- $1 bigint id   $2 bigint lease_token
-- rows: 1 (done) or 0 (the lease was lost)   locks: that job row
with ended as (
    delete from jobs where id = $1::bigint and lease_token = $2::bigint
    returning id, kind, subject, payload, tries, worker, created_at
)
insert into job_history (id, kind, subject, payload, outcome, tries, worker, created_at)
select id, kind, subject, payload, 'done', tries, worker, created_at from ended
returning id;
