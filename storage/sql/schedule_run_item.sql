-- SPDX-License-Identifier: GPL-3.0-or-later
-- Reads the item of a run, to tell whether its first part starts with this run.
-- $1 text run
-- rows: 0 or 1 (item, its state)   locks: none
select i.id, i.state from runs r join items i on i.id = r.item_id where r.id = $1
