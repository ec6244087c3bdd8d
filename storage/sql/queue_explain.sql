-- SPDX-License-Identifier: GPL-3.0-or-later
-- For each waiting run and each printer the first rule that keeps them apart, as a sentence.
-- $1 text run id, or null for all waiting runs   $2 int how many rows at most
-- rows: one a pair (run id, part code, printer id or null, code, sentence), the runs in their order   locks: none
select r.id, r.part_code, p.id, why.code, case why.code
    when 'no_printer' then 'No printer is registered'
    when 'wrong_class' then format('%s is a %s, the run was sliced for a %s', p.name, p.printer_class, r.printer_class)
    when 'wrong_material' then format('%s has %s loaded, the run needs %s', p.name, p.material, r.material)
    when 'offline' then format('%s does not answer', p.name)
    when 'maintenance' then format('%s is in maintenance', p.name)
    when 'error' then format('%s reports an error', p.name)
    when 'attention' then format('%s wants attention', p.name)
    when 'busy' then format('%s is %s', p.name, p.state)
    when 'bed_not_clear' then format('The bed of %s is not confirmed clear', p.name)
    else format('%s may take it', p.name) end
from runs r left join printers p on p.state <> 'retired'
cross join lateral (select case
    when p.id is null then 'no_printer'
    when p.printer_class <> r.printer_class then 'wrong_class'
    when p.material <> r.material then 'wrong_material'
    when p.state in ('offline', 'maintenance', 'error', 'attention') then p.state
    when p.state in ('reserved', 'busy', 'paused') then 'busy'
    when p.state = 'awaiting_clear' or not p.bed_clear then 'bed_not_clear'
    else 'free' end as code) why
where r.state = 'queued' and ($1::text is null or r.id = $1::text)
order by r.priority desc, r.created_at, r.id, p.name, p.id
limit $2::int;
