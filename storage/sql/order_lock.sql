-- SPDX-License-Identifier: GPL-3.0-or-later
-- Locks an order, so that nothing of it moves until the transaction ends.
-- $1 text order id
-- rows: 1 (stage) or 0 (no such order)   locks: that order
select stage from orders where id = $1::text for no key update;
