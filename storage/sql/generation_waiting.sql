-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tasks of a provider that wait to be sent.
-- $1 text provider
-- rows: any (task), 100 at most   locks: none
select id from tasks where provider = $1 and state = 'created' and next_at <= now() order by next_at limit 100
