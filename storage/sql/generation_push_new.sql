-- SPDX-License-Identifier: GPL-3.0-or-later
-- Takes a delivery of a provider once, and forgets some that are older than a week: a signature is good for minutes.
-- $1 text provider   $2 text delivery
-- rows: 0 (seen before) or 1 (provider)   locks: none but the new row's and those of the old, stepping past others'
with old as (
    delete from pushes where ctid = any (array(
        select ctid from pushes where at < now() - interval '7 days' order by at limit 100 for update skip locked))
)
insert into pushes (provider, delivery) values ($1, $2) on conflict do nothing returning provider
