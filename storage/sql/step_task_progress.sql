-- SPDX-License-Identifier: GPL-3.0-or-later
-- Stores how far a task is.
-- $1 text task   $2 integer percent
-- rows: none   locks: the task
update tasks set progress = $2::integer, updated_at = now() where id = $1
