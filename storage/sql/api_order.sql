-- SPDX-License-Identifier: GPL-3.0-or-later
-- The head of one order as the API shows it; the items come from api_items.
-- $1 text order id, or null   $2 text external id, or null
-- rows: 0 or 1 (id, document)   locks: none
select o.id, json_build_object(
    'id', o.id, 'number', o.number, 'external_id', o.external_id, 'stage', o.stage, 'photo_class', o.photo_class,
    'quote_id', o.quote_id, 'notes', o.notes, 'contact', o.contact, 'consent', o.consent, 'version', o.version,
    'created_at', api_time.made, 'updated_at', api_time.changed)::text
from orders o,
    lateral (select to_char(o.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as made,
                    to_char(o.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as changed) api_time
where o.id = $1::text or o.external_id = $2::text;
