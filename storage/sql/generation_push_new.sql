-- SPDX-License-Identifier: GPL-3.0-or-later
-- Takes a delivery of a provider once.
-- $1 text provider   $2 text delivery
-- rows: 0 (seen before) or 1 (provider)   locks: none but the new row's
insert into pushes (provider, delivery) values ($1, $2) on conflict do nothing returning provider
