-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps how a candidate fares.
-- $1 text task   $2 jsonb score
-- rows: none   locks: the task
update tasks set score = $2::jsonb where id = $1
