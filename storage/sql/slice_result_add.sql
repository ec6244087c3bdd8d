-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps what slicing gave, and ends the claim. What can be sliced takes the place of what could not, never the other way about;
-- the same again is written over itself.
-- $1 text id   $2 text 3MF hash   $3 text settings hash   $4 text printer class   $5 text material   $6 text process
-- $7 text engine   $8 text G-code hash or null   $9 float8 print time, s   $10 float8 filament, mm   $11 float8 filament, g
-- $12 integer layers   $13 jsonb report   $14 jsonb problem or null   $15 bigint job   $16 bigint its lease token
-- rows: 1 (result, the opinion on it that was there or null)   locks: the result's row
with ended as (
    delete from slice_claims
    where threemf_hash = $2 and settings_hash = $3 and job_id = $15::bigint and lease_token = $16::bigint
)
insert into slice_results as r (id, threemf_hash, settings_hash, printer_class, material, process, engine, gcode_hash, print_time_s,
                                filament_mm, filament_g, layer_count, report, problem)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9::float8, $10::float8, $11::float8, $12::integer, $13::jsonb, $14::jsonb)
on conflict (threemf_hash, settings_hash) do update
set gcode_hash = coalesce(excluded.gcode_hash, r.gcode_hash),
    print_time_s = coalesce(excluded.print_time_s, r.print_time_s), filament_mm = coalesce(excluded.filament_mm, r.filament_mm),
    filament_g = coalesce(excluded.filament_g, r.filament_g), layer_count = coalesce(excluded.layer_count, r.layer_count),
    report = case when excluded.gcode_hash is null then r.report else excluded.report end,
    problem = case when coalesce(excluded.gcode_hash, r.gcode_hash) is null then excluded.problem end
returning id, opinion
