-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps what was measured of a provider's test order, once.
-- $1 text order   $2 text provider   $3 bool a model came of it   $4 jsonb measures   $5 jsonb what moved
-- rows: 0 (it was measured before) or 1 (order)   locks: none but the new row's
insert into canaries (order_id, provider, made, measures, moved) values ($1, $2, $3::bool, $4::jsonb, $5::jsonb)
on conflict do nothing returning order_id
