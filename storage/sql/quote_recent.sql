-- SPDX-License-Identifier: GPL-3.0-or-later
-- The newest quotes, without their lines.
-- $1 text only older ones than this quote, or null   $2 int how many at most
-- rows: 0.. (quote, document)   locks: none
select q.id, json_build_object(
    'id', q.id, 'created_at', q.document -> 'created_at', 'valid_until', q.document -> 'valid_until',
    'photo_class', q.document -> 'photo_class', 'total_minor', q.total_minor, 'currency', q.currency,
    'items', json_array_length(q.document -> 'items'), 'order_id', o.id)::text
from quotes q left join orders o on o.quote_id = q.id
where $1::text is null or q.id < $1::text
order by q.id desc limit $2::int;
