-- SPDX-License-Identifier: GPL-3.0-or-later
-- Binds a run to a printer under a new fence, with the slice that is for the printer's class: the run's own, or another of its
-- item, which the trigger of `runs` holds against what is passed. The file's name on the printer holds the fence: what an
-- earlier, lost assignment may still send names another file; it begins with the part's code, which a person at the printer
-- looks for.
-- $1 text run   $2 text printer   $3 text slice
-- rows: 1 (fence), or 0 when the printer is not what the run needs any more; ST002   locks: both rows, the caller holds them
with s as (
    select s.id, s.printer_class, s.material, s.gcode_hash, s.print_time_s, s.filament_g
    from slices s join runs r on r.id = $1 and r.item_id = s.item_id
    where s.id = $3
), p as (
    update printers p set run_id = $1, fence = p.fence + 1, updated_at = now()
    from s
    where p.id = $2 and p.bed_clear and p.printer_class = s.printer_class and p.material = s.material
    returning p.fence
)
update runs r
set printer_id = $2, fence = p.fence, file_name = r.part_code || '-' || r.id || '-' || p.fence || '.gcode', start_sent_at = null,
    slice_id = s.id, printer_class = s.printer_class, material = s.material, gcode_hash = s.gcode_hash,
    print_time_s = s.print_time_s, filament_g = s.filament_g, progress = 0, reason = '', updated_at = now()
from p, s
where r.id = $1
returning p.fence
