-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps the provider's number of a task, and when it is to be asked about first.
-- $1 text task   $2 text provider's task   $3 text second handle   $4 jsonb exchange   $5 float seconds until the first poll
-- rows: none   locks: the task
update tasks set provider_task = $2, provider_aux = $3, notes = $4::jsonb, polls = 0, checks = 0,
    next_at = now() + $5::float8 * interval '1 second', lease_token = null, lease_until = null
where id = $1
