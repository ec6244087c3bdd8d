-- SPDX-License-Identifier: GPL-3.0-or-later
-- The task that a push is about: the one whose token stands in the address, else the one that the provider names.
-- $1 text provider   $2 text push token, or ''   $3 text provider's task, or ''
-- rows: 0 or 1 (task, state, it is by the token, provider's task)   locks: none
select t.id, t.state, (t.push_token = $2 and $2 <> ''), t.provider_task
from tasks t
where t.provider = $1 and ((t.push_token = $2 and $2 <> '') or (t.provider_task = $3 and $3 <> ''))
order by (t.push_token = $2) desc limit 1
