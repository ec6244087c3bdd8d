-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes a prepared model and makes it the item's present one.
-- $1 text id   $2 text item   $3 text task   $4 integer number   $5 text source hash   $6 jsonb options   $7 jsonb report
-- $8 text verdict   $9 text 3MF hash or null   $10 text STL hash or null
-- rows: none   locks: the item
with fresh as (
    insert into models (id, item_id, task_id, number, source_hash, options, report, verdict, threemf_hash, stl_hash)
    values ($1, $2, $3, $4::integer, $5, $6::jsonb, $7::jsonb, $8, $9, $10)
    returning id, item_id
)
update items i set model_id = f.id from fresh f where i.id = f.item_id
