-- SPDX-License-Identifier: GPL-3.0-or-later
-- Generation by outside providers: leases and times of tasks, the ledger of credits, the pace and health of providers
-- shared by all workers, and what providers pushed. Runs inside one transaction.

alter table tasks
    drop column deadline, -- told by sent_at and the provider's pace
    add column candidate     integer not null default 1,       -- which of the round's candidates it makes
    add column price         numeric(14,3) not null default 0, -- what it is reserved at, in the provider's credits
    add column provider_aux  text not null default '',         -- second handle; the provider's, opaque
    add column model_version text not null default '',
    add column push_token    text not null default replace(gen_random_uuid()::text, '-', ''),
    add column polls         integer not null default 0,
    add column checks        integer not null default 0,       -- looks into the provider's list while in doubt
    add column next_at       timestamptz not null default now(),
    add column sent_at       timestamptz,                      -- the moment before the submit; null: it was not sent
    add column lease_token   bigint,
    add column lease_until   timestamptz,
    add column score         jsonb,                            -- how the candidate fares by our own measures
    add column chosen        boolean not null default false,
    add column cancel_sent   boolean not null default false;
create index tasks_due on tasks (provider, state, next_at)
    where state in ('created', 'submitting', 'submitted', 'running', 'fetching', 'in_doubt');
create unique index tasks_by_push on tasks (push_token);
create unique index tasks_by_provider_task on tasks (provider, provider_task) where provider_task <> '';

-- Spent and held, signed; the sum over a task is what it costs so far. Rows are only ever added.
create table ledger (
    id       bigint primary key generated always as identity,
    at       timestamptz not null default now(),
    day      date not null default (now() at time zone 'utc')::date,
    provider text not null,
    task_id  text not null references tasks,
    item_id  text not null references items,
    order_id text not null references orders,
    kind     text not null check (kind in ('reserve', 'settle', 'reverse')),
    credits  numeric(14,3) not null
);
create index ledger_by_task on ledger (task_id);
create index ledger_by_item on ledger (item_id, provider);
create index ledger_by_order on ledger (order_id, provider);
create index ledger_by_day on ledger (provider, day) include (credits);

create table providers (
    id             text primary key,
    submit_tokens  double precision not null default 1,
    submit_at      timestamptz not null default now(),
    call_tokens    double precision not null default 1,
    call_at        timestamptz not null default now(),
    hold_until     timestamptz,                   -- nothing is submitted before: the provider said so
    faults         integer not null default 0,    -- server faults in a row
    circuit_until  timestamptz,                   -- no task goes there before
    circuit_reason text not null default '',
    balance        numeric(14,3),
    balance_at     timestamptz,
    keys           jsonb,                         -- what its pushes are signed with
    keys_at        timestamptz
);

-- What was pushed already: the same delivery is taken once.
create table pushes (
    provider text not null,
    delivery text not null,
    at       timestamptz not null default now(),
    primary key (provider, delivery)
);
create index pushes_by_time on pushes (at);

create function ledger_add(task_key text, entry text, amount numeric) returns void
language sql as $$
    insert into ledger (provider, task_id, item_id, order_id, kind, credits)
    select t.provider, t.id, t.item_id, i.order_id, entry, amount
    from tasks t join items i on i.id = t.item_id where t.id = task_key
$$;

-- The task costs `actual` in all, whatever was held for it; null: what was held.
create function ledger_close(task_key text, actual numeric) returns void
language plpgsql as $$
declare
    held numeric;
begin
    select coalesce(sum(l.credits), 0) into held from ledger l where l.task_id = task_key;
    if held = 0 and coalesce(actual, 0) = 0 then
        return;
    end if;
    perform ledger_add(task_key, case when actual = 0 then 'reverse' else 'settle' end, coalesce(actual, held) - held);
end $$;

-- Takes the next task of a provider that may be sent now, and with it a place in its pace and the credits: all or nothing.
-- The provider's row is locked, so all workers together keep its limits; whoever ends a task does not lock it.
create function generation_take(provider_key text, actor text, lease_s integer, per_min double precision, burst integer,
                                in_flight integer, cap_item numeric, cap_order numeric, cap_day numeric, needs_upload boolean,
                                out task text, out token bigint, out refusal text, out wait_s double precision)
language plpgsql as $$
declare
    p providers%rowtype;
    t record;
    have double precision;
    spent numeric;
begin
    refusal := '';
    wait_s := 0;
    if not exists (select from tasks x where x.provider = provider_key and x.state = 'created' and x.next_at <= now()) then
        refusal := 'none';
        return;
    end if;
    insert into providers (id, submit_tokens) values (provider_key, burst) on conflict do nothing;
    select * into p from providers where id = provider_key for no key update;
    if p.circuit_until > now() then
        refusal := 'circuit';
        wait_s := extract(epoch from p.circuit_until - now());
        return;
    end if;
    if p.hold_until > now() then
        refusal := 'hold';
        wait_s := extract(epoch from p.hold_until - now());
        return;
    end if;
    have := least(burst, p.submit_tokens + extract(epoch from clock_timestamp() - p.submit_at) * per_min / 60);
    if per_min > 0 and have < 1 then
        refusal := 'rate';
        wait_s := (1 - have) * 60 / per_min;
        return;
    end if;
    if in_flight > 0 and (select count(*) from (select from tasks x where x.provider = provider_key
            and x.state in ('submitting', 'submitted', 'running', 'fetching', 'in_doubt') limit in_flight) y) >= in_flight then
        refusal := 'in_flight';
        wait_s := 1;
        return;
    end if;
    select x.id, x.item_id, i.order_id, x.price into t from tasks x join items i on i.id = x.item_id
    where x.provider = provider_key and x.state = 'created' and x.next_at <= now()
    order by x.next_at, x.id limit 1;
    if not found then
        refusal := 'none';
        return;
    end if;
    task := t.id;
    if t.price > 0 then
        select coalesce(sum(l.credits), 0) into spent from ledger l where l.item_id = t.item_id and l.provider = provider_key;
        if spent + t.price > cap_item then refusal := 'cap_item'; return; end if;
        select coalesce(sum(l.credits), 0) into spent from ledger l where l.order_id = t.order_id and l.provider = provider_key;
        if spent + t.price > cap_order then refusal := 'cap_order'; return; end if;
        select coalesce(sum(l.credits), 0) into spent from ledger l
        where l.provider = provider_key and l.day = (now() at time zone 'utc')::date;
        if spent + t.price > cap_day then refusal := 'cap_day'; return; end if;
    end if;
    perform flow_move('task', t.id, 'task.claimed', actor);
    update providers set submit_tokens = have - 1, submit_at = clock_timestamp() where id = provider_key;
    if t.price > 0 then
        perform ledger_add(t.id, 'reserve', t.price);
    end if;
    token := nextval('lease_tokens');
    update tasks set lease_token = token, lease_until = now() + lease_s * interval '1 second', attempts = attempts + 1,
        sent_at = case when needs_upload then null else clock_timestamp() end
    where id = t.id;
end $$;

-- Leases tasks that are to be asked about now, as many as the provider's pace of calls has room for.
create function generation_polls(provider_key text, lease_s integer, most integer, per_s double precision, burst integer,
                                 per_call integer)
returns table (task text, token bigint, state text, provider_task text, provider_aux text, polls integer, age_s double precision,
               progress integer)
language plpgsql as $$
declare
    p providers%rowtype;
    have double precision;
    room integer := most;
    taken integer;
begin
    if per_s > 0 then
        insert into providers (id, call_tokens) values (provider_key, burst) on conflict do nothing;
        select * into p from providers where id = provider_key for no key update;
        have := least(burst, p.call_tokens + extract(epoch from clock_timestamp() - p.call_at) * per_s);
        room := least(most, floor(have)::integer * per_call);
    end if;
    if room < 1 then
        return;
    end if;
    return query
        with due as (
            select x.id from tasks x
            where x.provider = provider_key and x.state in ('submitted', 'running', 'fetching') and x.next_at <= now()
              and (x.lease_until is null or x.lease_until < now())
            order by x.next_at limit room for update skip locked
        )
        update tasks x set lease_token = nextval('lease_tokens'), lease_until = now() + lease_s * interval '1 second'
        from due where x.id = due.id
        returning x.id, x.lease_token, x.state, x.provider_task, x.provider_aux, x.polls,
                  extract(epoch from now() - x.sent_at)::double precision, x.progress;
    get diagnostics taken = row_count;
    if per_s > 0 and taken > 0 then
        update providers set call_tokens = have - ceil(taken::double precision / per_call), call_at = clock_timestamp()
        where id = provider_key;
    end if;
end $$;
