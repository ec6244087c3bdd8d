-- SPDX-License-Identifier: GPL-3.0-or-later
-- The items of an order that are not at an end, with what stands in the way of cancelling each.
-- $1 text order id
-- rows: one an item (id, state, whether a part of it is on a printer or waits for its verdict)   locks: those items
select i.id, i.state,
       i.state = 'printing' or exists (
           select 1 from runs r where r.item_id = i.id
           and r.state in ('assigned', 'uploading', 'starting', 'printing', 'paused', 'finished', 'unknown'))
from items i
where i.order_id = $1::text and i.state not in ('ready', 'packed', 'cancelled', 'failed')
order by i.position
for no key update;
