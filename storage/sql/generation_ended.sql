-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps why a task ended without a model.
-- $1 text task   $2 jsonb {code, class, message}   $3 jsonb exchange, or null to leave it
-- rows: none   locks: the task
update tasks set error = $2::jsonb, notes = coalesce($3::jsonb, notes), lease_token = null, lease_until = null where id = $1
