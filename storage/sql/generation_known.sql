-- SPDX-License-Identifier: GPL-3.0-or-later
-- Which of the provider's tasks are ours already, and how many of ours, sent near that time, are in doubt.
-- $1 text provider   $2 text provider's tasks, comma-separated   $3 bigint Unix time   $4 int seconds on both sides of it
-- rows: 1 (known ones, comma-separated, or ''; count of tasks in doubt)   locks: none
select coalesce((select string_agg(t.provider_task, ',') from tasks t
                 where t.provider = $1 and t.provider_task = any (string_to_array($2::text, ','))), ''),
       (select count(*) from tasks t where t.provider = $1 and t.state in ('in_doubt', 'submitting', 'lost')
            and abs(extract(epoch from coalesce(t.sent_at, now())) - $3::bigint) <= $4::int)
