-- SPDX-License-Identifier: GPL-3.0-or-later
-- Gives a job back untouched and uncounted, due again after a while.
-- $1 bigint id   $2 bigint lease_token   $3 int delay in ms
-- rows: 1 (given back) or 0 (the lease was lost)   locks: that job row
with freed as (
    update jobs set worker = null, lease_token = null, lease_until = null, tries = greatest(tries - 1, 0),
                    run_at = now() + $3::int * interval '1 ms'
    where id = $1::bigint and lease_token = $2::bigint
    returning id
)
select id, case when $3::int = 0 then pg_notify('statuette_jobs', '')::text end from freed;
