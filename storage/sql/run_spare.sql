-- SPDX-License-Identifier: GPL-3.0-or-later
-- A run that still waits and would print the part that turned out to be good after all.
-- $1 text item id
-- rows: 0 or 1 (run id)   locks: none; the item is locked by the caller
select id from runs where item_id = $1::text and state in ('planned', 'queued') order by created_at desc, id desc limit 1;
