-- SPDX-License-Identifier: GPL-3.0-or-later
-- Finds the first waiting run that a ready printer may take: same class and material, bed clear, nothing on it. Higher
-- priority first, then the older; of the printers the one that has rested longest.
-- rows: 0 or 1 (run, printer)   locks: none, for the run's order comes first; the moves and schedule_bind look again
select r.id, p.id
from runs r
join printers p on p.printer_class = r.printer_class and p.material = r.material
where r.state = 'queued' and p.state = 'ready' and p.bed_clear
  and not exists (select from runs o where o.printer_id = p.id
        and o.state in ('assigned', 'uploading', 'starting', 'printing', 'paused', 'unknown'))
order by r.priority desc, r.created_at, r.id, p.updated_at, p.id
limit 1
