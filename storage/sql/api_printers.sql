-- SPDX-License-Identifier: GPL-3.0-or-later
-- The printers with what each prints; never their keys.
-- $1 text id, or null for all
-- rows: 0.. (id, document)   locks: none
select p.id, json_build_object(
    'id', p.id, 'name', p.name, 'driver', p.driver, 'url', p.url, 'printer_class', p.printer_class, 'material', p.material,
    'state', p.state, 'bed_clear', p.bed_clear, 'run_id', p.run_id, 'report', p.report, 'version', p.version,
    'seen_at', to_char(p.seen_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'run', (select json_build_object(
            'id', r.id, 'state', r.state, 'part_code', r.part_code, 'progress', r.progress, 'item_id', r.item_id,
            'order_id', i.order_id, 'order_number', o.number, 'name', i.name, 'print_time_s', r.print_time_s,
            'started_at', to_char(r.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
        from runs r join items i on i.id = r.item_id join orders o on o.id = i.order_id where r.id = p.run_id))::text
from printers p
where $1::text is null or p.id = $1::text
order by p.name, p.id;
