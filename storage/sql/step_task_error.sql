-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps why a task ended without a result.
-- $1 text task   $2 jsonb {code, message}
-- rows: none   locks: the task
update tasks set error = $2::jsonb where id = $1
