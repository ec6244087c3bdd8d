-- SPDX-License-Identifier: GPL-3.0-or-later
-- Reads the model file of an item's chosen candidate, else of its newest task.
-- $1 text item
-- rows: 0 or 1 (task, hash, format, when the task was made, number of the item's next model)   locks: none
select t.id, t.result_hash, t.result_format, to_char(t.created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       (select coalesce(max(m.number), 0) + 1 from models m where m.item_id = $1)
from tasks t where t.item_id = $1 and t.state = 'succeeded' and t.result_hash is not null
order by t.chosen desc, t.created_at desc, t.id desc limit 1
