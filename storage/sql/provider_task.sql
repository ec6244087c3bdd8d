-- SPDX-License-Identifier: GPL-3.0-or-later
-- A task and its item, for saying what became of it at the provider.
-- $1 text task
-- rows: 0 or 1 (item, order, state, provider, provider's task, spec, it is of the item's present round, the item waits in review
--       because nobody knows what became of a task)   locks: none
select t.item_id, i.order_id, t.state, t.provider, t.provider_task, t.spec, t.round = i.round,
       i.state = 'review' and coalesce(i.problem ->> 'code', '') = 'generation_in_doubt'
from tasks t join items i on i.id = t.item_id where t.id = $1
