-- SPDX-License-Identifier: GPL-3.0-or-later
-- How a provider's test order stands.
-- $1 text the order's external id
-- rows: 0 or 1 (order, item, item's state, its problem or null, report of its model or null, task or null, task's state,
--       credits that its tasks cost, seconds that the last one took, the provider's number of it)   locks: none
select o.id, i.id, i.state, i.problem, (select m.report from models m where m.id = i.model_id), t.id, t.state,
       (select coalesce(sum(l.credits), 0) from ledger l where l.item_id = i.id),
       extract(epoch from t.updated_at - coalesce(t.sent_at, t.created_at)), coalesce(t.provider_task, '')
from orders o join items i on i.order_id = o.id
left join lateral (select * from tasks x where x.item_id = i.id order by x.created_at desc, x.id desc limit 1) t on true
where o.external_id = $1
