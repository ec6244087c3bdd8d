-- SPDX-License-Identifier: GPL-3.0-or-later
-- How each provider stands and how it fared over thirty days. A task that was not sent since the provider was away counts for
-- nothing; nor does one that was called off. Of a first pass that another task refines, the second alone has a model.
-- $1 text ids of providers, comma-separated
-- rows: one each (provider, document)   locks: none
select k.id, json_build_object(
    'circuit_open', coalesce(p.circuit_until > now(), false),
    'circuit_reason', coalesce(p.circuit_reason, ''),
    'circuit_s', greatest(0, coalesce(round(extract(epoch from p.circuit_until - now())), 0)),
    'hold_s', greatest(0, coalesce(round(extract(epoch from p.hold_until - now())), 0)),
    'balance', p.balance,
    'balance_at', to_char(p.balance_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'spent_today', (select coalesce(sum(l.credits), 0) from ledger l
                    where l.provider = k.id and l.day = (now() at time zone 'utc')::date),
    'spent', (select coalesce(sum(l.credits), 0) from ledger l where l.provider = k.id),
    'waiting', now_.waiting, 'in_flight', now_.in_flight, 'in_doubt', now_.in_doubt,
    'lost', (select count(*) from tasks t where t.provider = k.id and t.state = 'lost'),
    'succeeded', ended.succeeded, 'ended', ended.ended, 'made', ended.made, 'chosen', ended.chosen,
    'median_s', ended.median_s)::text
from unnest(string_to_array($1::text, ',')) with ordinality k (id, place)
left join providers p on p.id = k.id
cross join lateral (
    select count(*) filter (where t.state = 'created') as waiting,
           count(*) filter (where t.state in ('submitting', 'submitted', 'running', 'fetching', 'in_doubt')) as in_flight,
           count(*) filter (where t.state = 'in_doubt') as in_doubt
    from tasks t
    where t.provider = k.id and t.state in ('created', 'submitting', 'submitted', 'running', 'fetching', 'in_doubt')
) now_
cross join lateral (
    select count(*) filter (where t.state = 'succeeded') as succeeded, count(*) as ended,
           count(*) filter (where t.state = 'succeeded' and t.result_hash is not null) as made,
           count(*) filter (where t.state = 'succeeded' and t.chosen) as chosen,
           round((percentile_cont(0.5) within group (order by extract(epoch from t.updated_at - coalesce(t.sent_at, t.created_at)))
                  filter (where t.state = 'succeeded'))::numeric, 1) as median_s
    from tasks t
    where t.provider = k.id and t.updated_at > now() - interval '30 days'
      and t.state in ('succeeded', 'failed', 'moderated', 'expired', 'timed_out', 'lost')
      and coalesce(t.error ->> 'code', '') <> 'provider_away'
) ended
order by k.place
