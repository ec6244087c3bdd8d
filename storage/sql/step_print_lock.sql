-- SPDX-License-Identifier: GPL-3.0-or-later
-- Holds a run and its printer while a decision about the run is written.
-- $1 text run   $2 bigint fence   $3 text state that the run must be in
-- rows: 1 (printer, its state) when the run is still ours and in that state, else 0   locks: both rows; the caller holds the item
select p.id, p.state
from runs r join printers p on p.id = r.printer_id
where r.id = $1 and r.fence = $2::bigint and r.state = $3
for update of p, r
