-- SPDX-License-Identifier: GPL-3.0-or-later
-- Reads the newest generation task of an item's round.
-- $1 text item   $2 integer round
-- rows: 0 or 1 (id, provider, state, seed, provider's task, attempts, its deadline has passed, how many of the round
--       failed, what was sent and answered when it was accepted, or null)   locks: none
select t.id, t.provider, t.state, t.seed, t.provider_task, t.attempts, coalesce(t.deadline < now(), false),
       (select count(*) from tasks f where f.item_id = $1 and f.round = $2::integer and f.state = 'failed'),
       t.notes
from tasks t where t.item_id = $1 and t.round = $2::integer
order by t.created_at desc, t.id desc limit 1
