-- SPDX-License-Identifier: GPL-3.0-or-later
-- Lets an order rest on a quote that is valid still.
-- $1 text order   $2 text quote
-- rows: 1 (quote), or 0: it has expired; 23505 when another order rests on it   locks: the order
update orders o set quote_id = q.id
from quotes q
where o.id = $1::text and q.id = $2::text and q.valid_until > now()
returning q.id;
