-- SPDX-License-Identifier: GPL-3.0-or-later
-- Finds items that stand where a job should be working on them, and none is there: it died, or was lost.
-- $1 text item, or null for all
-- rows: any (item, state, code and message of the job that died last, or null)   locks: none
select i.id, i.state, d.error ->> 'code', d.error ->> 'message'
from items i
left join lateral (select h.error from job_history h
                   where h.subject = i.id and h.outcome = 'dead' and h.kind <> 'slice_ahead'
                   order by h.ended_at desc limit 1) d on true
where i.state in ('photo_check', 'generating', 'inspecting', 'preparing', 'approved', 'slicing')
  and i.updated_at < now() - interval '5 seconds'
  and ($1::text is null or i.id = $1)
  and not exists (select from jobs j where j.subject = i.id and j.kind <> 'slice_ahead')
  and not (i.state = 'generating' and exists (select from tasks t where t.item_id = i.id and t.round = i.round
           and t.state in ('created', 'submitting', 'submitted', 'running', 'fetching', 'in_doubt')))
limit 100
