-- SPDX-License-Identifier: GPL-3.0-or-later
-- Binds a run to a printer under a new fence. The file's name on the printer holds the fence: what an earlier, lost
-- assignment may still send names another file; it begins with the part's code, which a person at the printer looks for.
-- $1 text run   $2 text printer
-- rows: 1 (fence), or 0 when the printer is not what the run needs any more   locks: both rows, the caller holds them
with p as (
    update printers p set run_id = r.id, fence = p.fence + 1, updated_at = now()
    from runs r
    where p.id = $2 and r.id = $1 and p.bed_clear and p.printer_class = r.printer_class and p.material = r.material
    returning p.fence
)
update runs r
set printer_id = $2, fence = p.fence, file_name = r.part_code || '-' || r.id || '-' || p.fence || '.gcode', start_sent_at = null,
    progress = 0, reason = '', updated_at = now()
from p
where r.id = $1
returning p.fence
