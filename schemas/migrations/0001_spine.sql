-- SPDX-License-Identifier: GPL-3.0-or-later
-- The spine: orders with items and photos, generation tasks, models, artifacts, slices, runs, printers, reviews,
-- jobs, events, idempotency. Runs inside one transaction.

-- The moves that are allowed; rows come from schemas/flow/*.tsv and are laid anew by every migrate.
create table flow_moves (
    machine    text not null check (machine in ('item', 'task', 'run', 'printer')),
    from_state text not null,
    event      text not null,
    to_state   text not null,
    primary key (machine, from_state, event)
);

create sequence order_numbers start 1001;

create table orders (
    id          text primary key,
    number      bigint not null unique default nextval('order_numbers'),
    external_id text unique,
    stage       text not null default 'placed' check (stage in
                ('draft', 'placed', 'in_preparation', 'awaiting_customer', 'released', 'in_production',
                 'ready_to_ship', 'shipped', 'completed', 'cancelled', 'expired', 'failed')),
    contact     jsonb not null default '{}',
    notes       text not null default '',
    consent     jsonb not null default '{}',
    photo_class text not null default 'object' check (photo_class in ('pet', 'object', 'adult', 'child')),
    version     integer not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create index orders_newest on orders (created_at desc, id desc);

create table items (
    id            text primary key,
    order_id      text not null references orders,
    position      integer not null,
    template      text not null,
    name          text not null default '',
    notes         text not null default '',
    options       jsonb not null default '{}',   -- height_mm, style, material, printer, ... completed from the template
    state         text not null default 'new',
    problem       jsonb,                         -- {code, message} of what waits for a person, or null
    round         integer not null default 1,
    wanted        integer not null check (wanted between 1 and 1000),
    good          integer not null default 0 check (good >= 0),
    scrapped      integer not null default 0 check (scrapped >= 0),
    model_id      text,                          -- the model under review, approved or printed
    approved_hash text,                          -- SHA-256 of the 3MF that was passed; null: nothing was
    version       integer not null default 1,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    unique (order_id, position),
    constraint good_within_wanted check (good <= wanted)
);
create index items_by_state on items (state, updated_at);

create table photos (
    id            text primary key,
    item_id       text not null references items,
    slot          text not null default 'front',
    format        text not null,
    width         integer not null,
    height        integer not null,
    normal_hash   text not null,    -- normalised PNG
    cutout_hash   text not null,    -- PNG with the subject's mask as alpha
    provider_hash text not null,    -- JPEG or PNG to be sent
    provider_mime text not null,
    report        jsonb not null,
    created_at    timestamptz not null default now()
);
create index photos_by_item on photos (item_id);

create table tasks (
    id            text primary key,
    item_id       text not null references items,
    round         integer not null,
    provider      text not null,
    state         text not null default 'created',
    seed          bigint not null,
    spec          jsonb not null default '{}',
    provider_task text not null default '',
    progress      integer not null default 0,
    attempts      integer not null default 0,
    error         jsonb,
    result_hash   text,
    result_format text,
    notes         jsonb,
    deadline      timestamptz,
    version       integer not null default 1,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now()
);
create index tasks_by_item on tasks (item_id, created_at);

create table models (
    id           text primary key,
    item_id      text not null references items,
    task_id      text references tasks,
    number       integer not null,               -- version of the item's model: 1, 2, ...
    source_hash  text not null,                  -- what the provider gave
    options      jsonb not null default '{}',    -- how it was prepared
    report       jsonb,                          -- mesh report; null until prepared
    verdict      text check (verdict in ('pass', 'revise', 'reject')),
    threemf_hash text,
    stl_hash     text,
    created_at   timestamptz not null default now(),
    unique (item_id, number)
);

-- Every file that came to be on an item's way, in the order of the stages: the export folder in rows.
create table artifacts (
    id         bigint generated always as identity primary key,
    item_id    text not null references items,
    model_id   text references models,
    kind       text not null,                    -- photo, cutout, task, source, report, threemf, stl, render_front, slice_report, gcode ...
    name       text not null,                    -- NN_stage.ext inside the item's folder
    mime       text not null,
    sha256     text not null,
    bytes      bigint not null,
    created_at timestamptz not null default now(),
    unique (item_id, kind, sha256)
);
create index artifacts_by_item on artifacts (item_id, id);
create index artifacts_by_hash on artifacts (sha256, id);

create table reviews (
    id           bigint generated always as identity primary key,
    item_id      text not null references items,
    model_id     text,
    threemf_hash text,
    decision     text not null check (decision in ('pass', 'revise', 'reject')),
    reason       text not null default '',
    actor        text not null,                  -- user:NAME or policy:NAME
    created_at   timestamptz not null default now()
);
create index reviews_by_item on reviews (item_id);

create table slices (
    id           text primary key,
    item_id      text not null references items,
    model_id     text not null references models,
    threemf_hash text not null,
    printer_class text not null,
    material     text not null,
    engine       text not null,
    closure_hash text not null,
    gcode_hash   text not null,
    print_time_s double precision not null,
    filament_mm  double precision not null,
    filament_g   double precision not null,
    layer_count  integer not null,
    report       jsonb not null,
    created_at   timestamptz not null default now(),
    unique (threemf_hash, printer_class, material, engine, closure_hash, item_id)
);

create table printers (
    id           text primary key,
    name         text not null,
    driver       text not null,                  -- a row of the printer driver table
    url          text not null,
    api_key      text not null default '',
    printer_class text not null,                 -- config/printers id
    material     text not null,                  -- what is loaded
    state        text not null default 'offline',
    bed_clear    boolean not null default false, -- survives restarts and power-off
    run_id       text,                           -- what it is reserved for or prints
    fence        bigint not null default 0,      -- grows with each assignment
    seen_at      timestamptz,
    report       jsonb not null default '{}',    -- last report of the printer, normalised
    version      integer not null default 1,
    updated_at   timestamptz not null default now()
);

create table runs (
    id           text primary key,
    item_id      text not null references items,
    slice_id     text not null references slices,
    state        text not null default 'planned',
    printer_class text not null,
    material     text not null,
    gcode_hash   text not null,
    file_name    text not null unique,           -- on the printer; holds the run's id
    part_code    text not null unique,           -- short code of the physical part
    priority     integer not null default 0,     -- higher first
    printer_id   text references printers,
    fence        bigint,                         -- of the assignment
    attempts     integer not null default 0,     -- uploads tried
    start_sent_at timestamptz,                   -- a start was, or may have been, sent
    progress     double precision not null default 0,
    print_time_s double precision not null,
    filament_g   double precision not null,
    reason       text not null default '',       -- of a failure or cancellation
    verdict      text check (verdict in ('good', 'scrap')),
    verdict_by   text,
    verdict_reason text,
    started_at   timestamptz,
    ended_at     timestamptz,
    version      integer not null default 1,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now()
);
create index runs_by_item on runs (item_id);
create index runs_waiting on runs (priority desc, created_at, id) where state = 'queued';
create unique index runs_one_per_printer on runs (printer_id)
    where state in ('assigned', 'uploading', 'starting', 'printing', 'paused', 'unknown');

-- In flight: planned or on its way to a verdict. A failed or cancelled run is owed again at once.
create function run_in_flight(state text) returns boolean language sql immutable as $$
    select state in ('planned', 'queued', 'assigned', 'uploading', 'starting', 'printing', 'paused', 'finished', 'unknown')
$$;

create function item_owed(item text) returns integer language sql stable as $$
    select i.wanted - i.good - (select count(*)::integer from runs r where r.item_id = i.id and run_in_flight(r.state))
    from items i where i.id = item
$$;

-- Promise 6: never more in flight than owed. The item's row is locked, so two planners cannot both win. (No key update:
-- the foreign key of a new run holds a key share of the item, and two planners with full locks would end in a deadlock.)
create function run_is_owed() returns trigger language plpgsql as $$
begin
    perform 1 from items where id = new.item_id for no key update;
    if item_owed(new.item_id) < 0 then
        raise exception 'item % owes no further part', new.item_id using errcode = 'ST001';
    end if;
    return null;
end $$;
create trigger run_is_owed after insert or update of state on runs
    for each row when (run_in_flight(new.state)) execute function run_is_owed();

-- The same from the other side: a part that is counted good must have left the flight first.
create function good_is_owed() returns trigger language plpgsql as $$
begin
    if item_owed(new.id) < 0 then
        raise exception 'item % owes no further part', new.id using errcode = 'ST001';
    end if;
    return null;
end $$;
create trigger good_is_owed after update of good, wanted on items
    for each row when (new.good > old.good or new.wanted < old.wanted) execute function good_is_owed();

create table jobs (
    id          bigint generated always as identity primary key,
    kind        text not null,
    subject     text not null,                    -- itm_, gen_, run_ ... id
    key         text,                             -- at most one live job of a kind with this key
    payload     jsonb not null default '{}',
    priority    integer not null default 0,       -- higher first
    run_at      timestamptz not null default now(),
    tries       integer not null default 0,
    max_tries   integer not null default 5,
    worker      text,
    lease_token bigint,                           -- fencing value: grows with each claim
    lease_until timestamptz,
    last_error  jsonb,
    created_at  timestamptz not null default now()
) with (fillfactor = 70, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 0);
create sequence lease_tokens;
create unique index jobs_unique_key on jobs (kind, key) where key is not null;
create index jobs_ready on jobs (kind, priority desc, run_at, id) where lease_token is null;
create index jobs_leased on jobs (lease_until) where lease_token is not null;

create table job_history (
    id         bigint primary key,
    kind       text not null,
    subject    text not null,
    payload    jsonb not null,
    outcome    text not null check (outcome in ('done', 'dead', 'dropped')),
    tries      integer not null,
    worker     text,
    error      jsonb,
    created_at timestamptz not null,
    ended_at   timestamptz not null default now()
);
create index job_history_dead on job_history (ended_at desc) where outcome = 'dead';

-- What happened, who and why. Readers go by (xact, id), below the oldest open transaction: nothing is overtaken.
create table events (
    id         bigint generated always as identity primary key,
    xact       xid8 not null default pg_current_xact_id(),
    at         timestamptz not null default now(),
    machine    text not null,                     -- order, item, task, run, printer, job
    subject    text not null,
    order_id   text,
    item_id    text,
    event      text not null,
    from_state text,
    to_state   text,
    actor      text not null,                     -- worker:NAME, user:NAME, policy:NAME, customer, printer:ID
    reason     text not null default '',
    payload    jsonb not null default '{}'
);
create index events_in_order on events (xact, id);
create index events_by_order on events (order_id, id);

create table idempotency (
    key         text not null,
    route       text not null,
    fingerprint text not null,                    -- SHA-256 of the request
    status      integer,                          -- null while it is being worked on
    response    text,
    created_at  timestamptz not null default now(),
    primary key (route, key)
);

-- The public stage of an order, from its items.
create function order_stage(order_key text) returns text language sql stable as $$
    select case
        when count(*) filter (where state <> 'cancelled') = 0 then 'cancelled'
        when count(*) filter (where state not in ('cancelled', 'failed')) = 0 then 'failed'
        when bool_or(state = 'needs_photo') then 'awaiting_customer'
        when bool_and(state in ('packed', 'cancelled', 'failed')) then 'ready_to_ship'
        when bool_or(state in ('printing', 'ready', 'packed')) then 'in_production'
        when bool_and(state in ('approved', 'slicing', 'queued', 'cancelled', 'failed')) then 'released'
        when bool_or(state <> 'new') then 'in_preparation'
        else 'placed' end
    from items where order_id = order_key
$$;

create function event_add(machine text, subject text, order_key text, item_key text, event text, from_state text,
                          to_state text, actor text, reason text, payload jsonb) returns void language plpgsql as $$
begin
    insert into events (machine, subject, order_id, item_id, event, from_state, to_state, actor, reason, payload)
    values (machine, subject, order_key, item_key, event, from_state, to_state, actor, coalesce(reason, ''), coalesce(payload, '{}'));
    perform pg_notify('statuette_events', '');
end $$;

-- Makes one move of one machine: locks, looks the move up, writes the state and its event, and stores the order's stage. Locks
-- are taken in one order everywhere, so that no two moves wait for one another: order, item, then the row itself.
-- Returns the new state. ST404 no such row; ST409 the move is not allowed from where it stands, or it has another version than expected.
create function flow_move(kind text, subject text, move text, actor text, reason text default '', payload jsonb default '{}',
                          expected_version integer default null) returns text language plpgsql as $$
declare
    old_state text; new_state text; old_version integer; order_key text; item_key text; old_stage text; new_stage text;
begin
    if kind <> 'printer' then
        item_key := subject_item(subject);
        select i.order_id into order_key from items i where i.id = item_key;
        perform 1 from orders o where o.id = order_key for no key update; -- one at a time, so that its stage is true
        perform 1 from items i where i.id = item_key for no key update;
    end if;
    if kind = 'item' then
        select i.state, i.version into old_state, old_version from items i where i.id = subject;
    elsif kind = 'task' then
        select t.state, t.version into old_state, old_version from tasks t where t.id = subject for no key update;
    elsif kind = 'run' then
        select r.state, r.version into old_state, old_version from runs r where r.id = subject for no key update;
    elsif kind = 'printer' then
        select p.state, p.version into old_state, old_version from printers p where p.id = subject for no key update;
    end if;
    if old_state is null then
        raise exception 'no % %', kind, subject using errcode = 'ST404';
    end if;
    if expected_version is not null and expected_version <> old_version then
        raise exception '% % is at version %, not %', kind, subject, old_version, expected_version using errcode = 'ST409';
    end if;
    select m.to_state into new_state from flow_moves m where m.machine = kind and m.from_state = old_state and m.event = move;
    if new_state is null then
        raise exception '% is not allowed while % % is %', move, kind, subject, old_state using errcode = 'ST409';
    end if;
    if kind = 'item' then
        update items i set state = new_state, version = version + 1, updated_at = now() where i.id = subject;
    elsif kind = 'task' then
        update tasks t set state = new_state, version = version + 1, updated_at = now() where t.id = subject;
    elsif kind = 'run' then
        update runs r set state = new_state, version = version + 1, updated_at = now() where r.id = subject;
    else
        update printers p set state = new_state, version = version + 1, updated_at = now() where p.id = subject;
    end if;
    perform event_add(kind, subject, order_key, item_key, move, old_state, new_state, actor, reason, payload);
    if kind = 'item' then
        select o.stage into old_stage from orders o where o.id = order_key;
        new_stage := order_stage(order_key);
        if new_stage <> old_stage then
            update orders o set stage = new_stage, version = version + 1, updated_at = now() where o.id = order_key;
            perform event_add('order', order_key, order_key, null, 'order.' || new_stage, old_stage, new_stage, actor, reason, '{}');
        end if;
    end if;
    return new_state;
end $$;

-- States change through flow_move's table only, whoever writes.
create function state_is_reachable() returns trigger language plpgsql as $$
begin
    if new.state <> old.state and not exists (select 1 from flow_moves m
            where m.machine = tg_argv[0] and m.from_state = old.state and m.to_state = new.state) then
        raise exception '% may not go from % to %', tg_argv[0], old.state, new.state using errcode = 'ST409';
    end if;
    return new;
end $$;
create trigger item_state before update of state on items for each row execute function state_is_reachable('item');
create trigger task_state before update of state on tasks for each row execute function state_is_reachable('task');
create trigger run_state before update of state on runs for each row execute function state_is_reachable('run');
create trigger printer_state before update of state on printers for each row execute function state_is_reachable('printer');

-- Promise 4: what is sliced and printed is what was passed.
create function slice_is_approved() returns trigger language plpgsql as $$
begin
    if not exists (select 1 from items i where i.id = new.item_id and i.approved_hash = new.threemf_hash) then
        raise exception 'item % has no pass on %', new.item_id, new.threemf_hash using errcode = 'ST002';
    end if;
    return new;
end $$;
create trigger slice_is_approved before insert on slices for each row execute function slice_is_approved();

-- ... and a run prints the G-code of a slice of what is passed at this moment.
create function run_is_approved() returns trigger language plpgsql as $$
begin
    if not exists (select 1 from slices s join items i on i.id = s.item_id
            where s.id = new.slice_id and s.item_id = new.item_id and s.gcode_hash = new.gcode_hash
              and s.threemf_hash = i.approved_hash) then
        raise exception 'item % has no pass on what run % would print', new.item_id, new.id using errcode = 'ST002';
    end if;
    return new;
end $$;
create trigger run_is_approved before insert on runs for each row execute function run_is_approved();

-- The item that an item's, task's or run's id belongs to.
create function subject_item(subject text) returns text language sql stable as $$
    select coalesce((select i.id from items i where i.id = subject),
                    (select t.item_id from tasks t where t.id = subject),
                    (select r.item_id from runs r where r.id = subject))
$$;

-- The event of a job that ended badly.
create function job_event(job bigint, kind text, subject text, event text, worker text, error jsonb) returns void
language plpgsql as $$
declare
    item_key text := subject_item(subject);
begin
    perform event_add('job', job::text, (select i.order_id from items i where i.id = item_key), item_key, event, null, null,
                      'worker:' || coalesce(worker, ''), error->>'message',
                      jsonb_build_object('kind', kind, 'subject', subject, 'code', error->>'code'));
end $$;

-- What keeps an order from going on by itself, and whose turn it is. A dead job counts until something moves its item again.
create view issues as
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
select i.order_id, i.id, r.id, 'run_failed', 'warning', 'operator',
       format('The print of part %s failed%s', r.part_code, coalesce(': ' || nullif(r.reason, ''), '')), r.updated_at
from runs r join items i on i.id = r.item_id where r.state = 'failed'
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
where h.outcome = 'dead' and h.ended_at >= i.updated_at and i.state not in ('ready', 'packed', 'cancelled', 'failed');
