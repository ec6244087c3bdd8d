-- SPDX-License-Identifier: GPL-3.0-or-later
-- The events after a place, below the oldest open transaction, so that none is ever overtaken.
-- $1 text transaction of the last event seen   $2 bigint id of the last event seen   $3 int how many
-- rows: 0.. (xact, id, document)   locks: none
select e.xact::text, e.id, json_build_object(
    'at', to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'machine', e.machine, 'subject', e.subject,
    'order_id', e.order_id, 'item_id', e.item_id, 'event', e.event, 'from', e.from_state, 'to', e.to_state,
    'actor', e.actor, 'reason', e.reason, 'payload', e.payload)::text
from events e
where (e.xact, e.id) > ($1::xid8, $2::bigint) and e.xact < pg_snapshot_xmin(pg_current_snapshot())
order by e.xact, e.id
limit $3::int;
