-- SPDX-License-Identifier: GPL-3.0-or-later
-- Reads what a provider is to be asked.
-- $1 text task
-- rows: 0 or 1 (item, order, round, candidate, seed, spec, push token, price, state, provider's task, second handle, what was
--       sent and answered, its place among the item's tasks, looks so far)   locks: none
select t.item_id, i.order_id, t.round, t.candidate, t.seed, t.spec, t.push_token, t.price, t.state, t.provider_task,
       t.provider_aux, t.notes,
       (select count(*) from tasks x where x.item_id = t.item_id and (x.created_at, x.id) <= (t.created_at, t.id)),
       t.checks
from tasks t join items i on i.id = t.item_id where t.id = $1
