-- SPDX-License-Identifier: GPL-3.0-or-later
-- Counts a judged part.
-- $1 text item id   $2 text verdict
-- rows: 1 (good, wanted, state, whether one of its parts is on a printer or waits for a verdict, owed); ST001 when it is one too many
-- locks: the item
update items i
set good = good + ($2::text = 'good')::int, scrapped = scrapped + ($2::text = 'scrap')::int, updated_at = now()
where i.id = $1::text
returning i.good, i.wanted, i.state,
    exists (select 1 from runs r where r.item_id = i.id
            and r.state in ('assigned', 'uploading', 'starting', 'printing', 'paused', 'unknown', 'finished'))::int;
