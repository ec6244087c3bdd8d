-- SPDX-License-Identifier: GPL-3.0-or-later
-- How many parts of an item are owed and not in flight.
-- $1 text item id
-- rows: 1 (owed) or 0   locks: none; the caller holds the item
select item_owed(id) from items where id = $1::text;
