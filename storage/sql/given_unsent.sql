-- SPDX-License-Identifier: GPL-3.0-or-later
-- An item's tasks that no provider has been asked yet.
-- $1 text item
-- rows: any (task)   locks: none; the item is locked by the caller
select id from tasks where item_id = $1 and state = 'created'
