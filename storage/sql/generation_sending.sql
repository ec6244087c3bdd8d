-- SPDX-License-Identifier: GPL-3.0-or-later
-- Marks the moment before a task is sent; from here on it may exist at the provider.
-- $1 text task   $2 bigint lease token   $3 int lease_s
-- rows: 0 (it is ours no more: it must not be sent) or 1 (task)   locks: the task
update tasks set sent_at = clock_timestamp(), lease_until = now() + $3::int * interval '1 second'
where id = $1 and lease_token = $2::bigint and state = 'submitting' and lease_until > now()
returning id
