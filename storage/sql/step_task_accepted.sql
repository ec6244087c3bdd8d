-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps the provider's own number of a task.
-- $1 text task   $2 text provider's task
-- rows: none   locks: the task
update tasks set provider_task = $2 where id = $1
