-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes one move of one machine: row, event and the order's stage (see flow_move in schemas/migrations).
-- $1 text machine   $2 text subject   $3 text event   $4 text actor   $5 text reason or null   $6 jsonb payload or null
-- $7 int expected version or null
-- rows: 1 (the new state); ST404, ST409   locks: the order of an item, the item, the row itself
select flow_move($1::text, $2::text, $3::text, $4::text, coalesce($5::text, ''), coalesce($6::jsonb, '{}'), $7::int);
