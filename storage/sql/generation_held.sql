-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whether a task is still ours, and where it stands. To be asked under the item's lock.
-- $1 text task   $2 bigint lease token
-- rows: 0 (another has it, or its lease was ended) or 1 (state)   locks: none
select state from tasks where id = $1 and lease_token = $2::bigint
