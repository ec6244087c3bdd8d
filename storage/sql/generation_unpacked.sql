-- SPDX-License-Identifier: GPL-3.0-or-later
-- Puts the model that was in an archive in the archive's place.
-- $1 text task   $2 text model's hash   $3 text its format   $4 text archive's hash
-- rows: 0 (it was done before) or 1 (the task's place among the item's tasks)   locks: the task
update tasks t set result_hash = $2, result_format = $3 where t.id = $1 and t.result_hash = $4
returning (select count(*) from tasks o where o.item_id = t.item_id and (o.created_at, o.id) <= (t.created_at, t.id))
