-- SPDX-License-Identifier: GPL-3.0-or-later
-- Notes, before it is sent, that a start is going out: from here on it may have been sent, and the bed is taken.
-- $1 text run
-- rows: none   locks: the run's and the printer's row
with r as (
    update runs set start_sent_at = now() where id = $1 returning printer_id
)
update printers p set bed_clear = false, updated_at = now() from r where p.id = r.printer_id
