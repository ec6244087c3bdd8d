-- SPDX-License-Identifier: GPL-3.0-or-later
-- Runs and tasks of an item that can be called off.
-- $1 text item id
-- rows: one a thing (machine, id)   locks: none; the item is locked by the caller
select 'run', r.id from runs r where r.item_id = $1::text and r.state in ('planned', 'queued')
union all
select 'task', t.id from tasks t where t.item_id = $1::text and t.state in ('created', 'submitted', 'running', 'fetching');
