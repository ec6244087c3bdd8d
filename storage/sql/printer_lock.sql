-- SPDX-License-Identifier: GPL-3.0-or-later
-- Reads a printer and the run that is on it, and keeps others from deciding about it meanwhile.
-- $1 text printer
-- rows: 0 or 1 (state, driver, url, api_key, run or null, its state or null)   locks: the printer's row; the
-- caller that moves the run holds its item
select p.state, p.driver, p.url, p.api_key, r.id, r.state
from printers p
left join runs r on r.printer_id = p.id
    and r.state in ('assigned', 'uploading', 'starting', 'printing', 'paused', 'unknown')
where p.id = $1
for update of p
