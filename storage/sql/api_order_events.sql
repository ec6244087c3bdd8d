-- SPDX-License-Identifier: GPL-3.0-or-later
-- One page of what happened to an order, in the order it happened.
-- $1 text order id   $2 bigint id of the last event of the page before   $3 int how many
-- rows: 0.. (id, document)   locks: none
select e.id, json_build_object(
    'id', e.id, 'at', to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'machine', e.machine,
    'subject', e.subject, 'item_id', e.item_id, 'event', e.event, 'from', e.from_state, 'to', e.to_state,
    'actor', e.actor, 'reason', e.reason, 'payload', e.payload)::text
from events e
where e.order_id = $1::text and e.id > $2::bigint
order by e.id
limit $3::int;
