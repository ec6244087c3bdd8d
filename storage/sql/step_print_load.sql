-- SPDX-License-Identifier: GPL-3.0-or-later
-- Reads a run with its printer, for the job that brings it there.
-- $1 text run
-- rows: 0 or 1 (run's state, fence, file name, G-code hash, attempts, printer, driver, url, api_key, printer's state)
-- locks: none
select r.state, r.fence, r.file_name, r.gcode_hash, r.attempts, p.id, p.driver, p.url, p.api_key, p.state
from runs r join printers p on p.id = r.printer_id
where r.id = $1
