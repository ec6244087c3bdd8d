-- SPDX-License-Identifier: GPL-3.0-or-later
-- Figures for /metrics: name, labels as Prometheus writes them, value. Those of one name stand together.
-- $1 int ignored
-- rows: a few dozen (name, labels, value)   locks: none
select * from (
    select 'statuette_orders' as name, format('stage="%s"', stage) as labels, count(*)::float8 as value from orders group by stage
    union all select 'statuette_items', format('state="%s"', state), count(*) from items group by state
    union all select 'statuette_parts_wanted', '', coalesce(sum(wanted), 0) from items where state not in ('cancelled', 'failed')
    union all select 'statuette_parts_good', '', coalesce(sum(good), 0) from items
    union all select 'statuette_parts_scrapped', '', coalesce(sum(scrapped), 0) from items
    union all select 'statuette_tasks', format('provider="%s",state="%s"', provider, state), count(*) from tasks group by provider, state
    union all select 'statuette_runs', format('state="%s"', state), count(*) from runs group by state
    union all select 'statuette_printers', format('state="%s"', state), count(*) from printers group by state
    union all select 'statuette_jobs', format('kind="%s",leased="%s"', kind, lease_token is not null), count(*)
        from jobs group by kind, lease_token is not null
    union all select 'statuette_jobs_dead', '', count(*) from job_history where outcome = 'dead'
    union all select 'statuette_job_oldest_due_seconds', '', coalesce(max(extract(epoch from now() - run_at)), 0)
        from jobs where lease_token is null and run_at <= now()
    union all select 'statuette_review_longest_wait_seconds', '', coalesce(max(extract(epoch from now() - updated_at)), 0)
        from items where state = 'review'
) f where $1::int is not null order by name, labels;
