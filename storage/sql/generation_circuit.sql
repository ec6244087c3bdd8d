-- SPDX-License-Identifier: GPL-3.0-or-later
-- Opens a provider's circuit: its key or its credits were refused.
-- $1 text provider   $2 int seconds   $3 text reason   $4 text actor
-- rows: 1 (nothing)   locks: the provider
with closed as (
    insert into providers (id, circuit_until, circuit_reason) values ($1, now() + $2::int * interval '1 second', $3)
    on conflict (id) do update set circuit_until = excluded.circuit_until, circuit_reason = excluded.circuit_reason
    returning id
)
select event_add('provider', id, null, null, 'provider.circuit_opened', null, null, $4, $3, '{}')::text from closed
