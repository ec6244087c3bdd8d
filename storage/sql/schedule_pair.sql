-- SPDX-License-Identifier: GPL-3.0-or-later
-- Finds the first waiting run that a ready printer may take: bed clear, nothing on it, the material loaded, and of the class that
-- the run is for, or of another for which what was passed is sliced too. Higher priority first; then those that fit as they are,
-- so that no run takes another's only printer; then the older; of the printers the one that has rested longest.
-- rows: 0 or 1 (run, printer, slice)   locks: none, for the run's order comes first; the moves and schedule_bind look again
select r.id, p.id, s.id
from runs r
join items i on i.id = r.item_id
join printers p on p.material = r.material
join slices s on s.item_id = r.item_id and s.threemf_hash = i.approved_hash
    and case when p.printer_class = r.printer_class then s.id = r.slice_id
             else s.printer_class = p.printer_class and s.material = p.material and s.result_id is not null end
where r.state = 'queued' and p.state = 'ready' and p.bed_clear
  and not exists (select from runs o where o.printer_id = p.id
        and o.state in ('assigned', 'uploading', 'starting', 'printing', 'paused', 'unknown'))
order by r.priority desc, p.printer_class <> r.printer_class, r.created_at, r.id, p.updated_at, p.id, s.created_at desc
limit 1
