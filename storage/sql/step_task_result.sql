-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps what a task gave.
-- $1 text task   $2 text result's hash   $3 text format   $4 jsonb notes, or null to leave them
-- rows: none   locks: the task
update tasks set result_hash = $2, result_format = $3, notes = coalesce($4::jsonb, notes), progress = 100, error = null where id = $1
