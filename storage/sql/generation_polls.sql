-- SPDX-License-Identifier: GPL-3.0-or-later
-- Leases tasks of a provider that are to be asked about now.
-- $1 text provider   $2 int lease_s   $3 int at most   $4 float calls a second, 0 = no limit   $5 int calls at once
-- $6 int tasks a call
-- rows: any (task, lease token, state, provider's task, second handle, polls so far, seconds since it was sent, progress)
-- locks: the provider where it has a limit; the tasks, stepping past those that others hold
select task, token, state, provider_task, provider_aux, polls, age_s, progress
from generation_polls($1, $2::int, $3::int, $4::float8, $5::int, $6::int)
