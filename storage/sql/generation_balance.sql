-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps a provider's balance.
-- $1 text provider   $2 numeric balance
-- rows: none   locks: the provider
insert into providers (id, balance, balance_at) values ($1, $2::numeric, now())
on conflict (id) do update set balance = excluded.balance, balance_at = excluded.balance_at
