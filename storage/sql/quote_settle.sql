-- SPDX-License-Identifier: GPL-3.0-or-later
-- Takes over what quote_accuracy.sql finds, where five items or more say so: the factors, kept between a half and two, that new
-- estimates are multiplied by.
-- $1 int of the newest so many orders that rest on a quote and have something made
-- rows: 0.. (template, one for each that was written)   locks: the rows written
with samples as (
    select e.template, o.photo_class, e.printer, e.time_s, e.grams,
           case when r.timed > 0 then r.timed_s / r.timed end as printed_s, s.print_time_s, s.filament_g
    from (select * from orders d where d.quote_id is not null and d.stage in ('in_production', 'ready_to_ship', 'shipped', 'completed')
          order by d.created_at desc, d.id desc limit $1::int) o
    join quotes q on q.id = o.quote_id
    join items i on i.order_id = o.id and i.state in ('ready', 'packed', 'shipped', 'done')
    cross join lateral (
        select x ->> 'template' as template, x ->> 'printer' as printer,
               (x #>> '{estimate,time_s,p50}')::float8 / (x #>> '{correction,time}')::float8 as time_s,
               (x #>> '{estimate,grams,p50}')::float8 / (x #>> '{correction,grams}')::float8 as grams
        from (select q.document #> array['items', (i.position - 1)::text] as x) x) e
    join lateral (select * from slices s where s.item_id = i.id and s.threemf_hash = i.approved_hash and s.printer_class = e.printer
                  order by s.created_at desc limit 1) s on true
    cross join lateral (select count(*) as timed, sum(extract(epoch from x.ended_at - x.started_at)) as timed_s
                        from runs x where x.item_id = i.id and x.printer_class = e.printer and x.verdict = 'good'
                          and x.ended_at > x.started_at) r
    where e.time_s > 0 and e.grams > 0
)
insert into quote_corrections (template, photo_class, printer_class, time_factor, grams_factor, samples)
select template, photo_class, printer,
       least(2, greatest(0.5, percentile_cont(0.5) within group (order by coalesce(printed_s, print_time_s) / time_s))),
       least(2, greatest(0.5, percentile_cont(0.5) within group (order by filament_g / grams))), count(*)
from samples
group by template, photo_class, printer
having count(*) >= 5
on conflict (template, photo_class, printer_class) do update
set time_factor = excluded.time_factor, grams_factor = excluded.grams_factor, samples = excluded.samples, updated_at = now()
returning template;
