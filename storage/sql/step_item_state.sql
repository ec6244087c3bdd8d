-- SPDX-License-Identifier: GPL-3.0-or-later
-- Reads where an item stands; its lock is held by then.
-- $1 text item
-- rows: 0 or 1 (state, version)   locks: none
select state, version from items where id = $1
