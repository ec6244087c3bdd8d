-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tells that something was sliced ahead, could not be, or was judged by another engine.
-- $1 text item   $2 text event   $3 text actor   $4 text reason   $5 jsonb payload
-- rows: 1 (the event)   locks: none
select event_add('item', i.id, i.order_id, i.id, $2, null, null, $3, $4, $5::jsonb)::text from items i where i.id = $1
