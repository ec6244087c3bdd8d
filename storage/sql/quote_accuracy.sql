-- SPDX-License-Identifier: GPL-3.0-or-later
-- How far the estimates of orders of which something is made were from what they took, by template, photo class and printer: the middle of
-- actual over estimated (before any correction). Time is that on the printer where it was seen, else the slice's; a slice on
-- another printer than the quote's says nothing.
-- $1 int of the newest so many orders that rest on a quote and have something made
-- rows: 0.. (template, document)   locks: none
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
select template, json_build_object(
    'template', template, 'photo_class', photo_class, 'printer', printer, 'samples', count(*),
    'time_ratio', round(percentile_cont(0.5) within group (order by coalesce(printed_s, print_time_s) / time_s)::numeric, 4),
    'slice_time_ratio', round(percentile_cont(0.5) within group (order by print_time_s / time_s)::numeric, 4),
    'grams_ratio', round(percentile_cont(0.5) within group (order by filament_g / grams)::numeric, 4),
    'printed', count(printed_s),
    'correction', (select json_build_object('time', c.time_factor, 'grams', c.grams_factor, 'samples', c.samples,
                       'updated_at', to_char(c.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
                   from quote_corrections c where c.template = samples.template and c.photo_class = samples.photo_class
                     and c.printer_class = samples.printer))::text
from samples
group by template, photo_class, printer
order by template, photo_class, printer;
