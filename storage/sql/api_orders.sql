-- SPDX-License-Identifier: GPL-3.0-or-later
-- One page of orders, newest first, each with its items in short.
-- $1 text id of the last order of the page before, or null   $2 text stage, or null   $3 int how many
-- rows: 0.. (id, document)   locks: none
select o.id, json_build_object(
    'id', o.id, 'number', o.number, 'external_id', o.external_id, 'stage', o.stage, 'photo_class', o.photo_class,
    'created_at', to_char(o.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'updated_at', to_char(o.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'items', coalesce((select json_agg(json_build_object(
            'id', i.id, 'position', i.position, 'template', i.template, 'name', i.name, 'state', i.state, 'wanted', i.wanted,
            'good', i.good, 'scrapped', i.scrapped, 'problem', i.problem,
            'photo_sha256', (select p.normal_hash from photos p where p.item_id = i.id order by p.created_at, p.id limit 1))
            order by i.position)
        from items i where i.order_id = o.id), '[]'))::text
from orders o
where ($1::text is null or (o.created_at, o.id) < (select l.created_at, l.id from orders l where l.id = $1::text))
  and ($2::text is null or o.stage = $2::text)
order by o.created_at desc, o.id desc
limit $3::int;
