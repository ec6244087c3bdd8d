-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes an order with its event.
-- $1 text id   $2 text external_id or null   $3 jsonb contact   $4 text notes   $5 jsonb consent   $6 text photo_class   $7 text actor
-- rows: 1 (id) or 0 (an order with that external_id is there)   locks: none but the new row's
with fresh as (
    insert into orders (id, external_id, contact, notes, consent, photo_class)
    values ($1::text, $2::text, $3::jsonb, $4::text, $5::jsonb, $6::text)
    on conflict (external_id) do nothing
    returning id, number
)
select id, event_add('order', id, id, null, 'order.created', null, 'placed', $7::text, '',
                     jsonb_build_object('number', number))::text
from fresh;
