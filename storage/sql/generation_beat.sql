-- SPDX-License-Identifier: GPL-3.0-or-later
-- Prolongs the leases of tasks in hand.
-- $1 text ids, comma-separated   $2 text lease tokens   $3 int lease_s
-- rows: none   locks: the tasks
update tasks t set lease_until = now() + $3::int * interval '1 second'
from unnest(string_to_array($1::text, ','), string_to_array($2::text, ',')) as f (id, token)
where t.id = f.id and t.lease_token = f.token::bigint
