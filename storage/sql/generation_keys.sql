-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps what a provider's pushes are signed with, or reads it.
-- $1 text provider   $2 jsonb keys, or null to read only
-- rows: 0 or 1 (keys or null, seconds since they were fetched)   locks: the provider, where keys are given
with written as (
    insert into providers (id, keys, keys_at) select $1, $2::jsonb, now() where $2::jsonb is not null
    on conflict (id) do update set keys = excluded.keys, keys_at = excluded.keys_at returning keys
)
select coalesce((select keys from written), p.keys), extract(epoch from now() - p.keys_at)
from (select 1) one left join providers p on p.id = $1
