-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an order's items have really taken so far. Made: parts that are good or still under way; lost: scrapped parts and runs that
-- failed or were called off after they had begun. A run that has not ended counts as far as it has come.
-- $1 text order
-- rows: one an item (item, template, material, printer class, wanted, good, slice: time s, g, layers or null; runs timed to their end
-- and judged good: count, s; made: s, g; lost: count, s, g; credits by provider as a JSON object)   locks: none
select i.id, i.template, coalesce(i.options ->> 'material', ''), coalesce(s.printer_class, i.options ->> 'printer_class', ''),
       i.wanted, i.good, s.print_time_s, s.filament_g, s.layer_count,
       r.timed, r.timed_s, r.made_s, r.made_g, r.lost, r.lost_s, r.lost_g,
       coalesce((select json_object_agg(l.provider, l.credits)
                 from (select provider, sum(credits) as credits from ledger where item_id = i.id group by provider) l), '{}')::text
from items i
left join lateral (select * from slices s where s.item_id = i.id and s.threemf_hash = i.approved_hash
                   order by (select max(x.created_at) from runs x where x.item_id = i.id and x.slice_id = s.id) desc nulls last,
                            s.created_at desc limit 1) s on true
cross join lateral (
    select count(*) filter (where good and ended_at is not null) as timed,
           coalesce(sum(took_s) filter (where good and ended_at is not null), 0) as timed_s,
           coalesce(sum(took_s) filter (where not gone), 0) as made_s, coalesce(sum(took_g) filter (where not gone), 0) as made_g,
           count(*) filter (where gone) as lost,
           coalesce(sum(took_s) filter (where gone), 0) as lost_s, coalesce(sum(took_g) filter (where gone), 0) as lost_g
    from (select coalesce(x.verdict = 'good', false) as good, x.ended_at,
                 coalesce(x.verdict = 'scrap', false) or (x.verdict is null and x.state in ('failed', 'cancelled')) as gone,
                 case when x.ended_at is not null then extract(epoch from x.ended_at - x.started_at)
                      else x.print_time_s * x.progress end as took_s,
                 x.filament_g * case when x.verdict = 'good' then 1 else x.progress end as took_g
          from runs x where x.item_id = i.id and x.started_at is not null) run
) r
where i.order_id = $1::text
order by i.position;
