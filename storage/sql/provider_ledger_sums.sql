-- SPDX-License-Identifier: GPL-3.0-or-later
-- What the entries of the ledger add up to at each provider; `held` is reserved for tasks that are not at their end.
-- $1 date or null   $2 text order or null   $3 text item or null
-- rows: one a provider (provider, credits, of these held, tasks)   locks: none
select l.provider, sum(l.credits),
       coalesce(sum(l.credits) filter (where t.state in ('submitting', 'submitted', 'running', 'fetching', 'in_doubt', 'lost')), 0),
       count(distinct l.task_id)
from ledger l join tasks t on t.id = l.task_id
where ($1::date is null or l.day = $1::date) and ($2::text is null or l.order_id = $2::text)
  and ($3::text is null or l.item_id = $3::text)
group by l.provider order by l.provider
