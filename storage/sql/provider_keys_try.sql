-- SPDX-License-Identifier: GPL-3.0-or-later
-- Asks for leave to fetch the keys of a provider's pushes: one in ten seconds gets it, however many pushes come.
-- $1 text provider
-- rows: 0 (another just did) or 1 (provider)   locks: the provider
insert into providers (id, keys_tried_at) values ($1, now())
on conflict (id) do update set keys_tried_at = excluded.keys_tried_at
    where providers.keys_tried_at is null or providers.keys_tried_at < now() - interval '10 seconds'
returning id
