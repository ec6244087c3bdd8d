-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes a generation task, with its event.
-- $1 text id   $2 text item   $3 int round   $4 int candidate   $5 text provider   $6 bigint seed   $7 jsonb spec
-- $8 numeric price   $9 text actor
-- rows: 1 (nothing)   locks: none but the new row's
with fresh as (
    insert into tasks (id, item_id, round, candidate, provider, seed, spec, price)
    values ($1, $2, $3::int, $4::int, $5, $6::bigint, $7::jsonb, $8::numeric)
    returning id, item_id, provider, candidate
)
select event_add('task', f.id, i.order_id, i.id, 'task.created', null, 'created', $9, '',
                 jsonb_build_object('provider', f.provider, 'candidate', f.candidate))::text
from fresh f join items i on i.id = f.item_id
