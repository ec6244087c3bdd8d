-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a decision changes on the item beside its state.
-- $1 text item id   $2 text passed hash, or null (takes an earlier pass back)   $3 jsonb options to change, or null
-- $4 int 1 begins a new round, else 0   $5 jsonb problem or null
-- rows: 0   locks: the item
update items
set approved_hash = $2::text, options = options || coalesce($3::jsonb, '{}'), round = round + $4::int,
    problem = $5::jsonb, updated_at = now()
where id = $1::text;
