-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tells whether a printer and its run still stand as they did before the printer was asked, and keeps them so.
-- $1 text printer   $2 integer its version   $3 text run or null   $4 integer the run's version
-- rows: 1 (true) when nothing changed, else 0   locks: the printer's row; the caller holds the run's item
select true
from printers p
where p.id = $1 and p.version = $2::integer
  and not exists (select from runs r where r.printer_id = p.id
        and r.state in ('assigned', 'uploading', 'starting', 'printing', 'paused', 'unknown')
        and (r.id is distinct from $3 or r.version is distinct from $4::integer))
  and ($3::text is null or exists (select from runs r where r.id = $3 and r.printer_id = p.id and r.version = $4::integer))
for update of p
