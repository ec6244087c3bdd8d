-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes one candidate of an item the one that goes on.
-- $1 text item   $2 text task
-- rows: none   locks: the item's tasks
update tasks set chosen = (id = $2) where item_id = $1 and chosen <> (id = $2)
