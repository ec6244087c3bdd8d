-- SPDX-License-Identifier: GPL-3.0-or-later
-- Every file of an order by item and stage.
-- $1 text order id
-- rows: 0.. (item position, item name, file name, sha256, bytes, unix time)   locks: none
select i.position, i.name, a.name, a.sha256, a.bytes, floor(extract(epoch from a.created_at))::bigint
from artifacts a join items i on i.id = a.item_id
where i.order_id = $1::text
order by i.position, a.name, a.id;
