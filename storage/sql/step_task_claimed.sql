-- SPDX-License-Identifier: GPL-3.0-or-later
-- Notes, before anything is sent, that a task is about to be: its try and how long it may take.
-- $1 text task   $2 integer seconds until its deadline
-- rows: none   locks: the task
update tasks set attempts = attempts + 1, deadline = now() + $2::integer * interval '1 second' where id = $1
