-- SPDX-License-Identifier: GPL-3.0-or-later
-- Notes many polls at once: those tasks are still under way.
-- $1 text ids, comma-separated   $2 text lease tokens   $3 text percents   $4 text seconds until the next poll
-- rows: none   locks: the tasks
update tasks t set progress = greatest(t.progress, p.progress::int), polls = t.polls + 1,
    next_at = now() + p.gap::float8 * interval '1 second', lease_token = null, lease_until = null
from unnest(string_to_array($1::text, ','), string_to_array($2::text, ','), string_to_array($3::text, ','),
            string_to_array($4::text, ',')) as p (id, token, progress, gap)
where t.id = p.id and t.lease_token = p.token::bigint
