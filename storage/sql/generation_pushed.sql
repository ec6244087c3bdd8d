-- SPDX-License-Identifier: GPL-3.0-or-later
-- A provider pushed something of a task: it is to be looked at now.
-- $1 text provider   $2 text push token of the address, or ''   $3 text provider's task, or ''
-- rows: 0 (none of ours) or 1 (task, state)   locks: the task
update tasks t set next_at = least(t.next_at, now())
where t.provider = $1 and ((t.push_token = $2 and $2 <> '') or (t.provider_task = $3 and $3 <> ''))
returning t.id, t.state
