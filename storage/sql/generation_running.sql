-- SPDX-License-Identifier: GPL-3.0-or-later
-- Moves tasks of which the provider says that it works on them.
-- $1 text ids, comma-separated   $2 text lease tokens   $3 text actor
-- rows: one a task moved (state)   locks: their orders, items and tasks, in the order of the orders
select flow_move('task', t.id, 'task.progress', $3)
from (select t.id from unnest(string_to_array($1::text, ','), string_to_array($2::text, ',')) as p (id, token)
      join tasks t on t.id = p.id and t.lease_token = p.token::bigint and t.state = 'submitted'
      join items i on i.id = t.item_id
      order by i.order_id, i.id, t.id) t
