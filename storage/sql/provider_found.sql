-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps the provider's number of a task that was found at it; it is asked about at once. Its deadline begins anew: it may have
-- been lost for longer than a task may take.
-- $1 text task   $2 text provider's task   $3 text second handle
-- rows: none   locks: the task
update tasks set provider_task = $2, provider_aux = $3, polls = 0, checks = 0, error = null, sent_at = now(), next_at = now(),
    lease_token = null, lease_until = null
where id = $1
