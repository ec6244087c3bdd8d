-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps the provider's own number of a task, and the exchange that gave it.
-- $1 text task   $2 text provider's task   $3 jsonb exchange
-- rows: none   locks: the task
update tasks set provider_task = $2, notes = $3::jsonb where id = $1
