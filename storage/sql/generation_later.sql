-- SPDX-License-Identifier: GPL-3.0-or-later
-- Lets go of a task until it is due again.
-- $1 text task   $2 float seconds   $3 jsonb {code, class, message}, or null to leave it   $4 int added to its checks
-- rows: none   locks: the task
update tasks set next_at = now() + $2::float8 * interval '1 second', lease_token = null, lease_until = null,
    error = coalesce($3::jsonb, error), checks = checks + $4::int
where id = $1
