-- SPDX-License-Identifier: GPL-3.0-or-later
-- Takes the next task of a provider that may be sent now, and reserves its credits; all or nothing, in a transaction of its own.
-- $1 text provider   $2 text actor   $3 int lease_s   $4 float submits per minute, 0 = no limit   $5 int burst
-- $6 int most in flight, 0 = no limit   $7..$9 numeric caps of an item, an order, a day   $10 bool it uploads before it sends
-- rows: 1 (task or null, lease token, why not or '', seconds to wait)
-- locks: the provider, then the task's order, item and task
select task, token, refusal, wait_s
from generation_take($1, $2, $3::int, $4::float8, $5::int, $6::int, $7::numeric, $8::numeric, $9::numeric, $10::bool)
