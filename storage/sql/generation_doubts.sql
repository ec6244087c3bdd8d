-- SPDX-License-Identifier: GPL-3.0-or-later
-- Leases tasks whose submit nobody can account for: those found with a lapsed lease, and those to be looked for again.
-- $1 text provider   $2 int lease_s
-- rows: any (task, lease token, state, it was sent, Unix time of that, looks so far)   locks: the tasks
with due as (
    select id from tasks
    where provider = $1 and ((state = 'submitting' and lease_until < now())
                             or (state = 'in_doubt' and next_at <= now() and (lease_until is null or lease_until < now())))
    order by next_at limit 50 for update skip locked
)
update tasks t set lease_token = nextval('lease_tokens'), lease_until = now() + $2::int * interval '1 second'
from due where t.id = due.id
returning t.id, t.lease_token, t.state, t.sent_at is not null, coalesce(extract(epoch from t.sent_at), 0)::bigint, t.checks
