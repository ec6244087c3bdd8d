-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes a slice; the same slice of the same bytes again is the one that is there.
-- $1 text id   $2 text item   $3 text model   $4 text 3MF hash   $5 text printer class   $6 text material   $7 text engine
-- $8 text closure hash   $9 text G-code hash   $10 float8 print time, s   $11 float8 filament, mm   $12 float8 filament, g
-- $13 integer layers   $14 jsonb report
-- rows: 1 (slice)   locks: none but the row's
insert into slices (id, item_id, model_id, threemf_hash, printer_class, material, engine, closure_hash, gcode_hash,
                    print_time_s, filament_mm, filament_g, layer_count, report)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::float8, $11::float8, $12::float8, $13::integer, $14::jsonb)
on conflict (threemf_hash, printer_class, material, engine, closure_hash, item_id)
do update set gcode_hash = excluded.gcode_hash, report = excluded.report
returning id
