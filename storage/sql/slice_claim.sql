-- SPDX-License-Identifier: GPL-3.0-or-later
-- Claims the slicing of something for a job, unless a job that lives has it. To be run behind the gate of that very thing, so
-- that this statement sees the lease of whoever was there before it.
-- $1 text 3MF hash   $2 text settings hash   $3 bigint job   $4 bigint its lease token   $5 text item   $6 text printer class
-- $7 text engine   $8 boolean ahead of its pass or need
-- rows: 1 (job) when it is ours, else 0   locks: the claim's row
insert into slice_claims as c (threemf_hash, settings_hash, job_id, lease_token, item_id, printer_class, engine, ahead)
values ($1, $2, $3::bigint, $4::bigint, $5, $6, $7, $8::boolean)
on conflict (threemf_hash, settings_hash) do update
set job_id = excluded.job_id, lease_token = excluded.lease_token, item_id = excluded.item_id, share = 0, ahead = excluded.ahead
where not exists (select from jobs j where j.id = c.job_id and j.lease_token = c.lease_token and j.lease_until > now()
                  and j.id <> excluded.job_id)
returning job_id
