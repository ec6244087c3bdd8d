-- SPDX-License-Identifier: GPL-3.0-or-later
-- Locks the item that an item's, task's or run's id belongs to, after its order. Whatever is checked under the lock is read by
-- a later statement: this one's snapshot is older than the lock.
-- $1 text id of an item, task or run
-- rows: 1 (item id) or 0 (no such thing)   locks: the order, then the item
with whole as materialized (
    select o.id from orders o
    where o.id = (select i.order_id from items i where i.id = subject_item($1::text)) for no key update
)
select i.id from whole w join items i on i.order_id = w.id
where i.id = subject_item($1::text)
for no key update of i;
