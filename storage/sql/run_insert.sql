-- SPDX-License-Identifier: GPL-3.0-or-later
-- Plans one run of a slice.
-- $1 text run id   $2 text slice id   $3 text item id   $4 text part_code   $5 int priority   $6 text actor
-- rows: 1 (id), or 0 (the part code is taken: try another; or no such slice of the item); ST001, ST002
-- locks: the item
with fresh as (
    insert into runs (id, item_id, slice_id, printer_class, material, gcode_hash, file_name, part_code, priority,
                      print_time_s, filament_g)
    select $1::text, s.item_id, s.id, s.printer_class, s.material, s.gcode_hash, $4::text || '-' || $1::text || '.gcode',
           $4::text, $5::int, s.print_time_s, s.filament_g
    from slices s where s.id = $2::text and s.item_id = $3::text
    on conflict (part_code) do nothing
    returning id, item_id, slice_id, part_code
)
select f.id, event_add('run', f.id, i.order_id, i.id, 'run.planned', null, 'planned', $6::text, '',
                       jsonb_build_object('slice_id', f.slice_id, 'part_code', f.part_code))::text
from fresh f join items i on i.id = f.item_id;
