-- SPDX-License-Identifier: GPL-3.0-or-later
-- Begins an item's next round of candidates.
-- $1 text item
-- rows: none   locks: the item
update items set round = round + 1, problem = null, updated_at = now() where id = $1
