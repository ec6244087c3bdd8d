-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps what a task gave.
-- $1 text task   $2 text result's hash   $3 text format   $4 text version that made it
-- rows: none   locks: the task
update tasks set result_hash = $2, result_format = $3, model_version = $4, progress = 100, error = null, lease_token = null,
    lease_until = null
where id = $1
