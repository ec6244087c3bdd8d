-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes a generation task, with its event.
-- $1 text id   $2 text item   $3 integer round   $4 text provider   $5 bigint seed   $6 jsonb spec   $7 text actor
-- rows: 1 (nothing)   locks: none but the new row's
with fresh as (
    insert into tasks (id, item_id, round, provider, seed, spec)
    values ($1, $2, $3::integer, $4, $5::bigint, $6::jsonb)
    returning id, item_id, provider
)
select event_add('task', f.id, i.order_id, i.id, 'task.created', null, 'created', $7, '',
                 jsonb_build_object('provider', f.provider))::text
from fresh f join items i on i.id = f.item_id
