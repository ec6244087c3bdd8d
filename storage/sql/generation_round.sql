-- SPDX-License-Identifier: GPL-3.0-or-later
-- The tasks of an item's round, oldest first; candidates begun together by their number, for ids of one millisecond are in no order.
-- $1 text item   $2 int round
-- rows: any (task, candidate, provider, state, error's class or '', result's hash or null, format, score or null, chosen, spec,
--       seconds since it was made, provider's task, code of the error)   locks: none
select t.id, t.candidate, t.provider, t.state, coalesce(t.error ->> 'class', ''), t.result_hash, t.result_format, t.score,
       t.chosen, t.spec, extract(epoch from now() - t.created_at), t.provider_task, coalesce(t.error ->> 'code', '')
from tasks t where t.item_id = $1 and t.round = $2::int
order by t.created_at, t.candidate, t.id
