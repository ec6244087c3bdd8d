-- SPDX-License-Identifier: GPL-3.0-or-later
-- Takes a run off its printer: nothing was started. The bed is as clear as it was.
-- $1 text run   $2 text reason
-- rows: none   locks: the run's and the printer's row
with was as (
    select printer_id from runs where id = $1
), r as (
    update runs set printer_id = null, start_sent_at = null, reason = $2, updated_at = now() where id = $1
)
update printers p set run_id = null, bed_clear = true, updated_at = now() from was where p.id = was.printer_id
