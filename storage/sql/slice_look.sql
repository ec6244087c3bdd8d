-- SPDX-License-Identifier: GPL-3.0-or-later
-- Looks whether something was sliced already.
-- $1 text 3MF hash   $2 text settings hash
-- rows: 0 or 1 (result, engine, G-code hash or null, print time in s, filament in mm, in g, layers, report, code and message of
--       the problem or null, opinion or null)   locks: none
select id, engine, gcode_hash, print_time_s, filament_mm, filament_g, layer_count, report, problem ->> 'code',
       problem ->> 'message', opinion
from slice_results where threemf_hash = $1 and settings_hash = $2
