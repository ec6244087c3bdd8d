-- SPDX-License-Identifier: GPL-3.0-or-later
-- Why a task ended.
-- $1 text task
-- rows: 0 or 1 (message)   locks: none
select error ->> 'message' from tasks where id = $1
