-- SPDX-License-Identifier: GPL-3.0-or-later
-- The runs that are not closed, those on a printer first, then the waiting in their order; each waiting one with the
-- sentence that says what it waits for, and a sentence about each printer.
-- $1 text: 'waiting' for the waiting ones only, or null
-- rows: 0..500 (id, document)   locks: none
with open_runs as (
    select r.*, i.name, i.order_id, o.number, i.template, i.model_id, i.approved_hash, p.name as printer_name,
           r.state in ('planned', 'queued') as waits,
           row_number() over (partition by r.state = 'queued', r.printer_class, r.material
                              order by r.priority desc, r.created_at, r.id) as place
    from runs r join items i on i.id = r.item_id join orders o on o.id = i.order_id left join printers p on p.id = r.printer_id
    where r.state <> 'closed' and not (r.state = 'cancelled' and r.printer_id is null)
), shown as materialized ( -- what is not shown is not held against every printer either
    select * from open_runs q where $1::text is null or q.waits order by q.waits, q.priority desc, q.created_at, q.id limit 500
), sliced as materialized (
    select distinct q.id as run_id, s.printer_class, s.material
    from shown q join slices s on s.item_id = q.item_id and s.threemf_hash = q.approved_hash
    where q.waits and s.result_id is not null
), coming as materialized (
    select distinct j.subject as item_id, j.payload ->> 'class' as printer_class from jobs j where j.kind = 'slice_ahead'
), looked as (
    select q.id as run_id, p.id, p.name, p.state,
           p.material = q.material and (p.printer_class = q.printer_class or o.run_id is not null) as fits,
           p.state = 'ready' and p.bed_clear as free,
           p.name || case
               when p.printer_class <> q.printer_class and o.run_id is null
                   then ' is a ' || p.printer_class || ', this run is made for a ' || q.printer_class
                        || case when c.item_id is not null then '; it is being sliced for it, too' else '' end
               when p.material <> q.material then ' has ' || p.material || ' loaded, this run wants ' || q.material
               when p.state = 'awaiting_clear' then ' waits for its bed to be cleared'
               when p.state = 'attention' then ' wants attention'
               when p.state = 'maintenance' then ' is in maintenance'
               when p.state = 'offline' and p.bed_clear then ' is offline'
               when p.state = 'offline' then ' is offline, and its bed was not confirmed clear'
               when p.state = 'error' then ' reports an error'
               when p.state = 'ready' and p.bed_clear and p.printer_class <> q.printer_class
                   then ' is a ' || p.printer_class || ', for which this run is sliced, too, and is free'
               when p.state = 'ready' and p.bed_clear then ' is free'
               when p.state = 'ready' then ' is ready, but its bed was not confirmed clear'
               else ' is busy' end as sentence
    from shown q cross join printers p
    left join sliced o on o.run_id = q.id and o.printer_class = p.printer_class and o.material = p.material
    left join coming c on c.item_id = q.item_id and c.printer_class = p.printer_class
    where q.waits
), fitting as (
    select run_id, count(*) filter (where fits) as fit, count(*) filter (where fits and free) as free,
           string_agg(sentence, ', ' order by name, id) filter (where fits) as states,
           json_agg(json_build_object('printer_id', id, 'name', name, 'state', state, 'fits', fits, 'sentence', sentence)
               order by not fits, name, id) as printers
    from looked group by run_id
)
select q.id, json_build_object(
    'id', q.id, 'item_id', q.item_id, 'order_id', q.order_id, 'order_number', q.number, 'name', q.name,
    'template', q.template, 'state', q.state, 'part_code', q.part_code, 'printer_id', q.printer_id,
    'printer_name', q.printer_name, 'printer_class', q.printer_class, 'material', q.material, 'priority', q.priority,
    'place', case when q.state = 'queued' then q.place end, 'progress', q.progress, 'print_time_s', q.print_time_s,
    'filament_g', q.filament_g, 'reason', q.reason, 'file_name', q.file_name, 'gcode_hash', q.gcode_hash,
    'render_sha256', (select a.sha256 from artifacts a where a.item_id = q.item_id and a.model_id = q.model_id
                      and a.kind = 'render_front' order by a.id desc limit 1),
    'created_at', to_char(q.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'started_at', to_char(q.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'printers', coalesce(f.printers, '[]'),
    'why', case
        when not q.waits then null
        when f.run_id is null then 'No printer is registered'
        when f.fit = 0 and not exists (select 1 from printers p where p.printer_class = q.printer_class)
            then 'No printer of the class ' || q.printer_class || ' is registered'
        when f.fit = 0 then 'No printer of the class ' || q.printer_class || ' has ' || q.material || ' loaded'
        when q.state = 'planned' then 'It is being put into the queue'
        when f.free >= q.place then 'A free printer takes it in a moment'
        when q.place > 1 then (q.place - 1) || case when q.place = 2 then ' run is' else ' runs are' end
            || ' before it; ' || f.states
        else f.states end)::text
from shown q left join fitting f on f.run_id = q.id
order by q.waits, q.priority desc, q.created_at, q.id;
