-- SPDX-License-Identifier: GPL-3.0-or-later
-- Hands the first due job of some kinds to one worker, with a lease and a fresh fencing token.
-- $1 text kinds, comma-separated   $2 text worker   $3 int lease_s   $4 int most jobs of a kind at once, 0 = no limit
-- rows: 0 (nothing due) or 1 (id, lease_token, kind, subject, tries, max_tries, payload)
-- locks: that one job row; others step past it. The heads are looked up kind by kind, each by the index jobs_ready; 64 of
-- them, so that a crowd of claimers that lock one another's candidates still finds work. They are an array, not a join, for
-- which Postgres would read and sort the whole table: 0.9 ms a claim with 6,000 jobs waiting, against 0.2 ms.
with kinds as (
    select k.kind from unnest(string_to_array($1::text, ',')) as k (kind)
    where $4::int = 0
       or (select count(*) from jobs j where j.kind = k.kind and j.lease_token is not null) < $4::int
), heads as (
    select h.id from kinds k cross join lateral (
        select j.id from jobs j
        where j.kind = k.kind and j.lease_token is null and j.run_at <= now()
        order by j.priority desc, j.run_at, j.id limit 64) h
), chosen as (
    select j.id from jobs j
    where j.id = any (array(select id from heads)) and j.lease_token is null
    order by j.priority desc, j.run_at, j.id limit 1
    for update skip locked
)
update jobs j
set worker = $2::text, lease_token = nextval('lease_tokens'), lease_until = now() + $3::int * interval '1 s',
    tries = tries + 1
from chosen c where j.id = c.id
returning j.id, j.lease_token, j.kind, j.subject, j.tries, j.max_tries, j.payload;
