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
