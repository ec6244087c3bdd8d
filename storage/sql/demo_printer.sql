-- SPDX-License-Identifier: GPL-3.0-or-later
-- Registers the demo's virtual printer under the first id virtual-1 .. virtual-99 that is not in the middle of a run.
-- $1 text url   $2 text api_key
-- rows: 1 (id)   locks: that printer's row
with free as (
    select 'virtual-' || n as id from generate_series(1, 99) n
    where not exists (select 1 from printers p where p.id = 'virtual-' || n
                      and (p.run_id is not null or p.state not in ('offline', 'ready', 'awaiting_clear')))
    order by n limit 1
)
insert into printers (id, name, driver, url, api_key, printer_class, material)
select id, 'Virtual printer', 'virtual', $1::text, $2::text, 'ender3v3se', 'pla' from free
on conflict (id) do update set url = excluded.url, api_key = excluded.api_key, updated_at = now()
returning id
