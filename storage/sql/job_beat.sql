-- SPDX-License-Identifier: GPL-3.0-or-later
-- Prolongs a lease that is still the worker's.
-- $1 bigint id   $2 bigint lease_token   $3 int lease_s
-- rows: 1 (kept) or 0 (lost)   locks: that job row
update jobs set lease_until = now() + $3::int * interval '1 s'
where id = $1::bigint and lease_token = $2::bigint
returning id;
