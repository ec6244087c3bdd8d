-- SPDX-License-Identifier: GPL-3.0-or-later
-- What slicing gave, kept by what went into it, so that the same is never sliced twice, and may be sliced before its pass and
-- for further printer classes. What may be printed stays with `slices` and `runs`. Runs inside one transaction.

-- By the 3MF's hash and the hash of all settings (engine, its version, printer, material, process): the G-code's bytes depend
-- on nothing else. No pass is needed; no run is made of a row here.
create table slice_results (
    id            text primary key,
    threemf_hash  text not null,
    settings_hash text not null,
    printer_class text not null,
    material      text not null,
    process       text not null,
    engine        text not null,
    gcode_hash    text,              -- null: it cannot be sliced, and problem says why
    print_time_s  double precision,
    filament_mm   double precision,
    filament_g    double precision,
    layer_count   integer,
    report        jsonb not null default '{}',
    problem       jsonb,             -- {code, message}
    opinion       jsonb,             -- what another engine makes of the same
    opinion_at    timestamptz,
    created_at    timestamptz not null default now(),
    unique (threemf_hash, settings_hash),
    constraint sliced_or_not check ((gcode_hash is null) = (problem is not null)
        and (gcode_hash is null) = (print_time_s is null) and (gcode_hash is null) = (filament_mm is null)
        and (gcode_hash is null) = (filament_g is null) and (gcode_hash is null) = (layer_count is null))
);

-- Who is slicing what at this moment. A claim is good for as long as its job's lease is: who is killed holds up nobody for
-- longer than that, and nothing has to be cleaned up.
create table slice_claims (
    threemf_hash  text not null,
    settings_hash text not null,
    job_id        bigint not null,
    lease_token   bigint not null,
    item_id       text not null,
    printer_class text not null,
    engine        text not null,
    ahead         boolean not null,
    share         double precision not null default 0,
    primary key (threemf_hash, settings_hash)
);
create index slice_claims_by_item on slice_claims (item_id);

alter table slices
    add column process   text not null default 'figure',
    add column result_id text references slice_results;
create index slices_by_item on slices (item_id); -- every item shown looks for its own

-- Promise 4, wherever a run gets its slice from: one of its own item, of what is passed at this moment, for the class and
-- material that the run is for.
create or replace function run_is_approved() returns trigger language plpgsql as $$
begin
    if not exists (select 1 from slices s join items i on i.id = s.item_id
            where s.id = new.slice_id and s.item_id = new.item_id and s.gcode_hash = new.gcode_hash
              and s.printer_class = new.printer_class and s.material = new.material
              and s.threemf_hash = i.approved_hash) then
        raise exception 'item % has no pass on what run % would print', new.item_id, new.id using errcode = 'ST002';
    end if;
    return new;
end $$;
drop trigger run_is_approved on runs;
create trigger run_is_approved before insert or update of slice_id, gcode_hash, printer_class, material on runs
    for each row execute function run_is_approved();

-- As before, but for what is sliced ahead: no order waits for it, and where it fails for good the review says so.
create or replace view issues as
select i.order_id, i.id as item_id, i.id as subject, coalesce(i.problem->>'code', 'problem') as code,
       case i.state when 'failed' then 'error' else 'warning' end as severity,
       case i.state when 'needs_photo' then 'customer' else 'operator' end as action_by,
       coalesce(i.problem->>'message', '') as message, i.updated_at as since
from items i where i.problem is not null and i.state <> 'cancelled'
union all
select i.order_id, i.id, i.id, 'review_waiting', 'info', 'operator', 'The model waits for its review', i.updated_at
from items i where i.state = 'review' and i.problem is null
union all
select i.order_id, i.id, r.id, 'verdict_waiting', 'info', 'operator',
       format('Part %s is printed and waits for its verdict', r.part_code), r.updated_at
from runs r join items i on i.id = r.item_id where r.state = 'finished'
union all
select i.order_id, i.id, r.id, 'run_' || r.state, 'warning', 'operator', -- cancelled on the printer: its part is there, too
       format('The print of part %s %s%s: judge the part', r.part_code,
              case r.state when 'failed' then 'failed' else 'was cancelled' end, coalesce(' (' || nullif(r.reason, '') || ')', '')),
       r.updated_at
from runs r join items i on i.id = r.item_id
where r.state = 'failed' or (r.state = 'cancelled' and r.printer_id is not null)
union all
select i.order_id, i.id, r.id, 'run_unknown', 'error', 'operator',
       format('Contact with printer %s was lost while it had part %s: look whether it prints', coalesce(r.printer_id, '?'), r.part_code),
       r.updated_at
from runs r join items i on i.id = r.item_id where r.state = 'unknown'
union all
select i.order_id, i.id, t.id, 'task_lost', 'error', 'operator',
       format('%s may or may not have accepted a task: look there before it is asked again', t.provider), t.updated_at
from tasks t join items i on i.id = t.item_id where t.state = 'lost'
union all
select i.order_id, i.id, h.subject, 'job_dead', 'error', 'operator',
       format('The step %s was given up after %s tries: %s', h.kind, h.tries, coalesce(h.error->>'message', '')), h.ended_at
from job_history h join items i on i.id = subject_item(h.subject)
where h.outcome = 'dead' and h.kind <> 'slice_ahead' and h.ended_at >= i.updated_at and i.state not in ('ready', 'packed', 'cancelled', 'failed');
