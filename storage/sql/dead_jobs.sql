-- SPDX-License-Identifier: GPL-3.0-or-later
-- Jobs that were given up, the latest first.
-- $1 int how many at most
-- rows: 0.. (id, document)   locks: none
select h.id, json_build_object(
    'id', h.id, 'kind', h.kind, 'subject', h.subject, 'item_id', subject_item(h.subject), 'tries', h.tries,
    'worker', h.worker, 'error', h.error, 'ended_at', to_char(h.ended_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::text
from job_history h
where h.outcome = 'dead'
order by h.ended_at desc, h.id desc
limit $1::int;
