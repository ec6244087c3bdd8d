-- SPDX-License-Identifier: GPL-3.0-or-later
-- Finds an item's tasks that are not at their end.
-- $1 text item
-- rows: any (task, state, provider)   locks: none; the item is locked by the caller
select id, state, provider from tasks
where item_id = $1 and state in ('created', 'submitting', 'submitted', 'running', 'fetching', 'in_doubt')
