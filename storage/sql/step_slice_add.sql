-- SPDX-License-Identifier: GPL-3.0-or-later
-- Makes a result the item's own, to print from; the trigger wants the pass on its 3MF. The same again is the one that is there.
-- $1 text id   $2 text item   $3 text result
-- rows: 1 (slice); ST002   locks: none but the row's
insert into slices (id, item_id, model_id, threemf_hash, printer_class, material, process, engine, closure_hash, gcode_hash,
                    print_time_s, filament_mm, filament_g, layer_count, report, result_id)
select $1, i.id, i.model_id, r.threemf_hash, r.printer_class, r.material, r.process, r.engine, r.settings_hash, r.gcode_hash,
       r.print_time_s, r.filament_mm, r.filament_g, r.layer_count,
       r.report || case when r.opinion is null then '{}' else jsonb_build_object('second_opinion', r.opinion) end, r.id
from slice_results r join items i on i.id = $2
where r.id = $3 and r.gcode_hash is not null
on conflict (threemf_hash, printer_class, material, engine, closure_hash, item_id)
do update set gcode_hash = excluded.gcode_hash, report = excluded.report, result_id = excluded.result_id
returning id
