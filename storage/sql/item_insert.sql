-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes an item of an order.
-- $1 text id   $2 text order id   $3 int position   $4 text template   $5 text name   $6 text notes   $7 jsonb options   $8 int wanted
-- rows: 0   locks: a key share of the order
insert into items (id, order_id, position, template, name, notes, options, wanted)
values ($1::text, $2::text, $3::int, $4::text, $5::text, $6::text, $7::jsonb, $8::int);
