-- SPDX-License-Identifier: GPL-3.0-or-later
-- Binds a run to a printer under a new fence. The file's name on the printer holds the fence: what an earlier, lost
-- assignment may still send names another file.
-- $1 text run   $2 text printer
-- rows: 1 (fence)   locks: both rows
with p as (
    update printers set run_id = $1, fence = fence + 1, updated_at = now() where id = $2 returning fence
)
update runs r
set printer_id = $2, fence = p.fence, file_name = r.id || '-' || p.fence || '.gcode', start_sent_at = null,
    progress = 0, reason = '', updated_at = now()
from p
where r.id = $1
returning p.fence
