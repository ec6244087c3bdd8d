-- SPDX-License-Identifier: GPL-3.0-or-later
-- What the migrations add up to; written by scripts/dump_schema.sh, held against them by tests/storage/migrate_test.c.
CREATE FUNCTION public.event_add(machine text, subject text, order_key text, item_key text, event text, from_state text, to_state text, actor text, reason text, payload jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    insert into events (machine, subject, order_id, item_id, event, from_state, to_state, actor, reason, payload)
    values (machine, subject, order_key, item_key, event, from_state, to_state, actor, coalesce(reason, ''), coalesce(payload, '{}'));
    perform pg_notify('statuette_events', '');
end $$;
CREATE FUNCTION public.flow_move(kind text, subject text, move text, actor text, reason text DEFAULT ''::text, payload jsonb DEFAULT '{}'::jsonb, expected_version integer DEFAULT NULL::integer) RETURNS text
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.generation_polls(provider_key text, lease_s integer, most integer, per_s double precision, burst integer, per_call integer) RETURNS TABLE(task text, token bigint, state text, provider_task text, provider_aux text, polls integer, age_s double precision, progress integer)
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.generation_take(provider_key text, actor text, lease_s integer, per_min double precision, burst integer, in_flight integer, cap_item numeric, cap_order numeric, cap_day numeric, needs_upload boolean, OUT task text, OUT token bigint, OUT refusal text, OUT wait_s double precision) RETURNS record
    LANGUAGE plpgsql
    AS $$
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
CREATE FUNCTION public.good_is_owed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if item_owed(new.id) < 0 then
        raise exception 'item % owes no further part', new.id using errcode = 'ST001';
    end if;
    return null;
end $$;
CREATE FUNCTION public.item_owed(item text) RETURNS integer
    LANGUAGE sql STABLE
    AS $$
    select i.wanted - i.good - (select count(*)::integer from runs r where r.item_id = i.id and run_in_flight(r.state))
    from items i where i.id = item
$$;
CREATE FUNCTION public.job_event(job bigint, kind text, subject text, event text, worker text, error jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    item_key text := subject_item(subject);
begin
    perform event_add('job', job::text, (select i.order_id from items i where i.id = item_key), item_key, event, null, null,
                      'worker:' || coalesce(worker, ''), error->>'message',
                      jsonb_build_object('kind', kind, 'subject', subject, 'code', error->>'code'));
end $$;
CREATE FUNCTION public.ledger_add(task_key text, entry text, amount numeric) RETURNS void
    LANGUAGE sql
    AS $$
    insert into ledger (provider, task_id, item_id, order_id, kind, credits)
    select t.provider, t.id, t.item_id, i.order_id, entry, amount
    from tasks t join items i on i.id = t.item_id where t.id = task_key
$$;
CREATE FUNCTION public.ledger_close(task_key text, actual numeric) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    held numeric;
begin
    select coalesce(sum(l.credits), 0) into held from ledger l where l.task_id = task_key;
    if held = 0 and coalesce(actual, 0) = 0 then
        return;
    end if;
    perform ledger_add(task_key, case when actual = 0 then 'reverse' else 'settle' end, coalesce(actual, held) - held);
end $$;
CREATE FUNCTION public.order_stage(order_key text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
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
CREATE FUNCTION public.run_in_flight(state text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    select state in ('planned', 'queued', 'assigned', 'uploading', 'starting', 'printing', 'paused', 'finished', 'unknown')
$$;
CREATE FUNCTION public.run_is_approved() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if not exists (select 1 from slices s join items i on i.id = s.item_id
            where s.id = new.slice_id and s.item_id = new.item_id and s.gcode_hash = new.gcode_hash
              and s.printer_class = new.printer_class and s.material = new.material
              and s.threemf_hash = i.approved_hash) then
        raise exception 'item % has no pass on what run % would print', new.item_id, new.id using errcode = 'ST002';
    end if;
    return new;
end $$;
CREATE FUNCTION public.run_is_owed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform 1 from items where id = new.item_id for no key update;
    if item_owed(new.item_id) < 0 then
        raise exception 'item % owes no further part', new.item_id using errcode = 'ST001';
    end if;
    return null;
end $$;
CREATE FUNCTION public.slice_is_approved() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if not exists (select 1 from items i where i.id = new.item_id and i.approved_hash = new.threemf_hash) then
        raise exception 'item % has no pass on %', new.item_id, new.threemf_hash using errcode = 'ST002';
    end if;
    return new;
end $$;
CREATE FUNCTION public.state_is_reachable() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if new.state <> old.state and not exists (select 1 from flow_moves m
            where m.machine = tg_argv[0] and m.from_state = old.state and m.to_state = new.state) then
        raise exception '% may not go from % to %', tg_argv[0], old.state, new.state using errcode = 'ST409';
    end if;
    return new;
end $$;
CREATE FUNCTION public.subject_item(subject text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    select coalesce((select i.id from items i where i.id = subject),
                    (select t.item_id from tasks t where t.id = subject),
                    (select r.item_id from runs r where r.id = subject))
$$;
CREATE TABLE public.artifacts (
    id bigint NOT NULL,
    item_id text NOT NULL,
    model_id text,
    kind text NOT NULL,
    name text NOT NULL,
    mime text NOT NULL,
    sha256 text NOT NULL,
    bytes bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.artifacts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.artifacts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.canaries (
    order_id text NOT NULL,
    provider text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    made boolean NOT NULL,
    measures jsonb NOT NULL,
    moved jsonb DEFAULT '[]'::jsonb NOT NULL
);
CREATE TABLE public.events (
    id bigint NOT NULL,
    xact xid8 DEFAULT pg_current_xact_id() NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    machine text NOT NULL,
    subject text NOT NULL,
    order_id text,
    item_id text,
    event text NOT NULL,
    from_state text,
    to_state text,
    actor text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    payload jsonb DEFAULT '{}'::jsonb NOT NULL
);
ALTER TABLE public.events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.flow_moves (
    machine text NOT NULL,
    from_state text NOT NULL,
    event text NOT NULL,
    to_state text NOT NULL,
    CONSTRAINT flow_moves_machine_check CHECK ((machine = ANY (ARRAY['item'::text, 'task'::text, 'run'::text, 'printer'::text])))
);
CREATE TABLE public.idempotency (
    key text NOT NULL,
    route text NOT NULL,
    fingerprint text NOT NULL,
    status integer,
    response text,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.items (
    id text NOT NULL,
    order_id text NOT NULL,
    "position" integer NOT NULL,
    template text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    notes text DEFAULT ''::text NOT NULL,
    options jsonb DEFAULT '{}'::jsonb NOT NULL,
    state text DEFAULT 'new'::text NOT NULL,
    problem jsonb,
    round integer DEFAULT 1 NOT NULL,
    wanted integer NOT NULL,
    good integer DEFAULT 0 NOT NULL,
    scrapped integer DEFAULT 0 NOT NULL,
    model_id text,
    approved_hash text,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT good_within_wanted CHECK ((good <= wanted)),
    CONSTRAINT items_good_check CHECK ((good >= 0)),
    CONSTRAINT items_scrapped_check CHECK ((scrapped >= 0)),
    CONSTRAINT items_wanted_check CHECK (((wanted >= 1) AND (wanted <= 1000)))
);
CREATE TABLE public.job_history (
    id bigint NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    payload jsonb NOT NULL,
    outcome text NOT NULL,
    tries integer NOT NULL,
    worker text,
    error jsonb,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT job_history_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'dead'::text, 'dropped'::text])))
);
CREATE TABLE public.runs (
    id text NOT NULL,
    item_id text NOT NULL,
    slice_id text NOT NULL,
    state text DEFAULT 'planned'::text NOT NULL,
    printer_class text NOT NULL,
    material text NOT NULL,
    gcode_hash text NOT NULL,
    file_name text NOT NULL,
    part_code text NOT NULL,
    priority integer DEFAULT 0 NOT NULL,
    printer_id text,
    fence bigint,
    attempts integer DEFAULT 0 NOT NULL,
    start_sent_at timestamp with time zone,
    progress double precision DEFAULT 0 NOT NULL,
    print_time_s double precision NOT NULL,
    filament_g double precision NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    verdict text,
    verdict_by text,
    verdict_reason text,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT runs_verdict_check CHECK ((verdict = ANY (ARRAY['good'::text, 'scrap'::text])))
);
CREATE TABLE public.tasks (
    id text NOT NULL,
    item_id text NOT NULL,
    round integer NOT NULL,
    provider text NOT NULL,
    state text DEFAULT 'created'::text NOT NULL,
    seed bigint NOT NULL,
    spec jsonb DEFAULT '{}'::jsonb NOT NULL,
    provider_task text DEFAULT ''::text NOT NULL,
    progress integer DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    error jsonb,
    result_hash text,
    result_format text,
    notes jsonb,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    candidate integer DEFAULT 1 NOT NULL,
    price numeric(14,3) DEFAULT 0 NOT NULL,
    provider_aux text DEFAULT ''::text NOT NULL,
    model_version text DEFAULT ''::text NOT NULL,
    push_token text DEFAULT replace((gen_random_uuid())::text, '-'::text, ''::text) NOT NULL,
    polls integer DEFAULT 0 NOT NULL,
    checks integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone DEFAULT now() NOT NULL,
    sent_at timestamp with time zone,
    lease_token bigint,
    lease_until timestamp with time zone,
    score jsonb,
    chosen boolean DEFAULT false NOT NULL,
    cancel_sent boolean DEFAULT false NOT NULL
);
CREATE VIEW public.issues AS
 SELECT i.order_id,
    i.id AS item_id,
    i.id AS subject,
    COALESCE((i.problem ->> 'code'::text), 'problem'::text) AS code,
        CASE i.state
            WHEN 'failed'::text THEN 'error'::text
            ELSE 'warning'::text
        END AS severity,
        CASE i.state
            WHEN 'needs_photo'::text THEN 'customer'::text
            ELSE 'operator'::text
        END AS action_by,
    COALESCE((i.problem ->> 'message'::text), ''::text) AS message,
    i.updated_at AS since
   FROM public.items i
  WHERE ((i.problem IS NOT NULL) AND (i.state <> 'cancelled'::text))
UNION ALL
 SELECT i.order_id,
    i.id AS item_id,
    i.id AS subject,
    'review_waiting'::text AS code,
    'info'::text AS severity,
    'operator'::text AS action_by,
    'The model waits for its review'::text AS message,
    i.updated_at AS since
   FROM public.items i
  WHERE ((i.state = 'review'::text) AND (i.problem IS NULL))
UNION ALL
 SELECT i.order_id,
    i.id AS item_id,
    r.id AS subject,
    'verdict_waiting'::text AS code,
    'info'::text AS severity,
    'operator'::text AS action_by,
    format('Part %s is printed and waits for its verdict'::text, r.part_code) AS message,
    r.updated_at AS since
   FROM (public.runs r
     JOIN public.items i ON ((i.id = r.item_id)))
  WHERE (r.state = 'finished'::text)
UNION ALL
 SELECT i.order_id,
    i.id AS item_id,
    r.id AS subject,
    ('run_'::text || r.state) AS code,
    'warning'::text AS severity,
    'operator'::text AS action_by,
    format('The print of part %s %s%s: judge the part'::text, r.part_code,
        CASE r.state
            WHEN 'failed'::text THEN 'failed'::text
            ELSE 'was cancelled'::text
        END, COALESCE(((' ('::text || NULLIF(r.reason, ''::text)) || ')'::text), ''::text)) AS message,
    r.updated_at AS since
   FROM (public.runs r
     JOIN public.items i ON ((i.id = r.item_id)))
  WHERE ((r.state = 'failed'::text) OR ((r.state = 'cancelled'::text) AND (r.printer_id IS NOT NULL)))
UNION ALL
 SELECT i.order_id,
    i.id AS item_id,
    r.id AS subject,
    'run_unknown'::text AS code,
    'error'::text AS severity,
    'operator'::text AS action_by,
    format('Contact with printer %s was lost while it had part %s: look whether it prints'::text, COALESCE(r.printer_id, '?'::text), r.part_code) AS message,
    r.updated_at AS since
   FROM (public.runs r
     JOIN public.items i ON ((i.id = r.item_id)))
  WHERE (r.state = 'unknown'::text)
UNION ALL
 SELECT i.order_id,
    i.id AS item_id,
    t.id AS subject,
    'task_lost'::text AS code,
    'error'::text AS severity,
    'operator'::text AS action_by,
    format('%s may or may not have accepted a task: look there before it is asked again'::text, t.provider) AS message,
    t.updated_at AS since
   FROM (public.tasks t
     JOIN public.items i ON ((i.id = t.item_id)))
  WHERE (t.state = 'lost'::text)
UNION ALL
 SELECT i.order_id,
    i.id AS item_id,
    h.subject,
    'job_dead'::text AS code,
    'error'::text AS severity,
    'operator'::text AS action_by,
    format('The step %s was given up after %s tries: %s'::text, h.kind, h.tries, COALESCE((h.error ->> 'message'::text), ''::text)) AS message,
    h.ended_at AS since
   FROM (public.job_history h
     JOIN public.items i ON ((i.id = public.subject_item(h.subject))))
  WHERE ((h.outcome = 'dead'::text) AND (h.kind <> 'slice_ahead'::text) AND (h.ended_at >= i.updated_at) AND (i.state <> ALL (ARRAY['ready'::text, 'packed'::text, 'cancelled'::text, 'failed'::text])));
CREATE TABLE public.jobs (
    id bigint NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    key text,
    payload jsonb DEFAULT '{}'::jsonb NOT NULL,
    priority integer DEFAULT 0 NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    max_tries integer DEFAULT 5 NOT NULL,
    worker text,
    lease_token bigint,
    lease_until timestamp with time zone,
    last_error jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='70', autovacuum_vacuum_threshold='500', autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_cost_delay='0');
ALTER TABLE public.jobs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.jobs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE SEQUENCE public.lease_tokens
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.ledger (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    day date DEFAULT ((now() AT TIME ZONE 'utc'::text))::date NOT NULL,
    provider text NOT NULL,
    task_id text NOT NULL,
    item_id text NOT NULL,
    order_id text NOT NULL,
    kind text NOT NULL,
    credits numeric(14,3) NOT NULL,
    CONSTRAINT ledger_kind_check CHECK ((kind = ANY (ARRAY['reserve'::text, 'settle'::text, 'reverse'::text])))
);
ALTER TABLE public.ledger ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.ledger_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.models (
    id text NOT NULL,
    item_id text NOT NULL,
    task_id text,
    number integer NOT NULL,
    source_hash text NOT NULL,
    options jsonb DEFAULT '{}'::jsonb NOT NULL,
    report jsonb,
    verdict text,
    threemf_hash text,
    stl_hash text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT models_verdict_check CHECK ((verdict = ANY (ARRAY['pass'::text, 'revise'::text, 'reject'::text])))
);
CREATE SEQUENCE public.order_numbers
    START WITH 1001
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.orders (
    id text NOT NULL,
    number bigint DEFAULT nextval('public.order_numbers'::regclass) NOT NULL,
    external_id text,
    stage text DEFAULT 'placed'::text NOT NULL,
    contact jsonb DEFAULT '{}'::jsonb NOT NULL,
    notes text DEFAULT ''::text NOT NULL,
    consent jsonb DEFAULT '{}'::jsonb NOT NULL,
    photo_class text DEFAULT 'object'::text NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    quote_id text,
    CONSTRAINT orders_photo_class_check CHECK ((photo_class = ANY (ARRAY['pet'::text, 'object'::text, 'adult'::text, 'child'::text]))),
    CONSTRAINT orders_stage_check CHECK ((stage = ANY (ARRAY['draft'::text, 'placed'::text, 'in_preparation'::text, 'awaiting_customer'::text, 'released'::text, 'in_production'::text, 'ready_to_ship'::text, 'shipped'::text, 'completed'::text, 'cancelled'::text, 'expired'::text, 'failed'::text])))
);
CREATE TABLE public.photos (
    id text NOT NULL,
    item_id text NOT NULL,
    slot text DEFAULT 'front'::text NOT NULL,
    format text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    normal_hash text NOT NULL,
    cutout_hash text NOT NULL,
    provider_hash text NOT NULL,
    provider_mime text NOT NULL,
    report jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.printers (
    id text NOT NULL,
    name text NOT NULL,
    driver text NOT NULL,
    url text NOT NULL,
    api_key text DEFAULT ''::text NOT NULL,
    printer_class text NOT NULL,
    material text NOT NULL,
    state text DEFAULT 'offline'::text NOT NULL,
    bed_clear boolean DEFAULT false NOT NULL,
    run_id text,
    fence bigint DEFAULT 0 NOT NULL,
    seen_at timestamp with time zone,
    report jsonb DEFAULT '{}'::jsonb NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.providers (
    id text NOT NULL,
    submit_tokens double precision DEFAULT 1 NOT NULL,
    submit_at timestamp with time zone DEFAULT now() NOT NULL,
    call_tokens double precision DEFAULT 1 NOT NULL,
    call_at timestamp with time zone DEFAULT now() NOT NULL,
    hold_until timestamp with time zone,
    faults integer DEFAULT 0 NOT NULL,
    circuit_until timestamp with time zone,
    circuit_reason text DEFAULT ''::text NOT NULL,
    balance numeric(14,3),
    balance_at timestamp with time zone,
    keys jsonb,
    keys_at timestamp with time zone,
    keys_tried_at timestamp with time zone
);
CREATE TABLE public.pushes (
    provider text NOT NULL,
    delivery text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.quote_corrections (
    template text NOT NULL,
    photo_class text NOT NULL,
    printer_class text NOT NULL,
    time_factor double precision NOT NULL,
    grams_factor double precision NOT NULL,
    samples integer NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT quote_corrections_grams_factor_check CHECK (((grams_factor >= (0.5)::double precision) AND (grams_factor <= (2)::double precision))),
    CONSTRAINT quote_corrections_samples_check CHECK ((samples >= 5)),
    CONSTRAINT quote_corrections_time_factor_check CHECK (((time_factor >= (0.5)::double precision) AND (time_factor <= (2)::double precision)))
);
CREATE TABLE public.quotes (
    id text NOT NULL,
    form jsonb NOT NULL,
    document json NOT NULL,
    total_minor bigint NOT NULL,
    currency text NOT NULL,
    valid_until timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT quotes_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text))
);
CREATE TABLE public.reviews (
    id bigint NOT NULL,
    item_id text NOT NULL,
    model_id text,
    threemf_hash text,
    decision text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    actor text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT reviews_decision_check CHECK ((decision = ANY (ARRAY['pass'::text, 'revise'::text, 'reject'::text])))
);
ALTER TABLE public.reviews ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.reviews_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.schema_migrations (
    number integer NOT NULL,
    name text NOT NULL,
    laid_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.slice_claims (
    threemf_hash text NOT NULL,
    settings_hash text NOT NULL,
    job_id bigint NOT NULL,
    lease_token bigint NOT NULL,
    item_id text NOT NULL,
    printer_class text NOT NULL,
    engine text NOT NULL,
    ahead boolean NOT NULL,
    share double precision DEFAULT 0 NOT NULL
);
CREATE TABLE public.slice_results (
    id text NOT NULL,
    threemf_hash text NOT NULL,
    settings_hash text NOT NULL,
    printer_class text NOT NULL,
    material text NOT NULL,
    process text NOT NULL,
    engine text NOT NULL,
    gcode_hash text,
    print_time_s double precision,
    filament_mm double precision,
    filament_g double precision,
    layer_count integer,
    report jsonb DEFAULT '{}'::jsonb NOT NULL,
    problem jsonb,
    opinion jsonb,
    opinion_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT sliced_or_not CHECK ((((gcode_hash IS NULL) = (problem IS NOT NULL)) AND ((gcode_hash IS NULL) = (print_time_s IS NULL)) AND ((gcode_hash IS NULL) = (filament_mm IS NULL)) AND ((gcode_hash IS NULL) = (filament_g IS NULL)) AND ((gcode_hash IS NULL) = (layer_count IS NULL))))
);
CREATE TABLE public.slices (
    id text NOT NULL,
    item_id text NOT NULL,
    model_id text NOT NULL,
    threemf_hash text NOT NULL,
    printer_class text NOT NULL,
    material text NOT NULL,
    engine text NOT NULL,
    closure_hash text NOT NULL,
    gcode_hash text NOT NULL,
    print_time_s double precision NOT NULL,
    filament_mm double precision NOT NULL,
    filament_g double precision NOT NULL,
    layer_count integer NOT NULL,
    report jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    process text DEFAULT 'figure'::text NOT NULL,
    result_id text
);
ALTER TABLE ONLY public.artifacts
    ADD CONSTRAINT artifacts_item_id_kind_sha256_key UNIQUE (item_id, kind, sha256);
ALTER TABLE ONLY public.artifacts
    ADD CONSTRAINT artifacts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.canaries
    ADD CONSTRAINT canaries_pkey PRIMARY KEY (order_id);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.flow_moves
    ADD CONSTRAINT flow_moves_pkey PRIMARY KEY (machine, from_state, event);
ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (route, key);
ALTER TABLE ONLY public.items
    ADD CONSTRAINT items_order_id_position_key UNIQUE (order_id, "position");
ALTER TABLE ONLY public.items
    ADD CONSTRAINT items_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.job_history
    ADD CONSTRAINT job_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_item_id_number_key UNIQUE (item_id, number);
ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_external_id_key UNIQUE (external_id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_number_key UNIQUE (number);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.photos
    ADD CONSTRAINT photos_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.printers
    ADD CONSTRAINT printers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.providers
    ADD CONSTRAINT providers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.pushes
    ADD CONSTRAINT pushes_pkey PRIMARY KEY (provider, delivery);
ALTER TABLE ONLY public.quote_corrections
    ADD CONSTRAINT quote_corrections_pkey PRIMARY KEY (template, photo_class, printer_class);
ALTER TABLE ONLY public.quotes
    ADD CONSTRAINT quotes_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.reviews
    ADD CONSTRAINT reviews_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_file_name_key UNIQUE (file_name);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_part_code_key UNIQUE (part_code);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.slice_claims
    ADD CONSTRAINT slice_claims_pkey PRIMARY KEY (threemf_hash, settings_hash);
ALTER TABLE ONLY public.slice_results
    ADD CONSTRAINT slice_results_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.slice_results
    ADD CONSTRAINT slice_results_threemf_hash_settings_hash_key UNIQUE (threemf_hash, settings_hash);
ALTER TABLE ONLY public.slices
    ADD CONSTRAINT slices_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.slices
    ADD CONSTRAINT slices_threemf_hash_printer_class_material_engine_closure_h_key UNIQUE (threemf_hash, printer_class, material, engine, closure_hash, item_id);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT tasks_pkey PRIMARY KEY (id);
CREATE INDEX artifacts_by_hash ON public.artifacts USING btree (sha256, id);
CREATE INDEX artifacts_by_item ON public.artifacts USING btree (item_id, id);
CREATE INDEX canaries_by_provider ON public.canaries USING btree (provider, at DESC);
CREATE INDEX events_by_order ON public.events USING btree (order_id, id);
CREATE INDEX events_in_order ON public.events USING btree (xact, id);
CREATE INDEX items_by_state ON public.items USING btree (state, updated_at);
CREATE INDEX job_history_dead ON public.job_history USING btree (ended_at DESC) WHERE (outcome = 'dead'::text);
CREATE INDEX jobs_leased ON public.jobs USING btree (lease_until) WHERE (lease_token IS NOT NULL);
CREATE INDEX jobs_ready ON public.jobs USING btree (kind, priority DESC, run_at, id) WHERE (lease_token IS NULL);
CREATE UNIQUE INDEX jobs_unique_key ON public.jobs USING btree (kind, key) WHERE (key IS NOT NULL);
CREATE INDEX ledger_by_day ON public.ledger USING btree (provider, day) INCLUDE (credits);
CREATE INDEX ledger_by_item ON public.ledger USING btree (item_id, provider);
CREATE INDEX ledger_by_order ON public.ledger USING btree (order_id, provider);
CREATE INDEX ledger_by_task ON public.ledger USING btree (task_id);
CREATE UNIQUE INDEX orders_by_quote ON public.orders USING btree (quote_id) WHERE (quote_id IS NOT NULL);
CREATE INDEX orders_newest ON public.orders USING btree (created_at DESC, id DESC);
CREATE INDEX photos_by_item ON public.photos USING btree (item_id);
CREATE INDEX pushes_by_time ON public.pushes USING btree (at);
CREATE INDEX reviews_by_item ON public.reviews USING btree (item_id);
CREATE INDEX runs_by_item ON public.runs USING btree (item_id);
CREATE UNIQUE INDEX runs_one_per_printer ON public.runs USING btree (printer_id) WHERE (state = ANY (ARRAY['assigned'::text, 'uploading'::text, 'starting'::text, 'printing'::text, 'paused'::text, 'unknown'::text]));
CREATE INDEX runs_waiting ON public.runs USING btree (priority DESC, created_at, id) WHERE (state = 'queued'::text);
CREATE INDEX slice_claims_by_item ON public.slice_claims USING btree (item_id);
CREATE INDEX slices_by_item ON public.slices USING btree (item_id);
CREATE INDEX tasks_by_item ON public.tasks USING btree (item_id, created_at);
CREATE UNIQUE INDEX tasks_by_provider_task ON public.tasks USING btree (provider, provider_task) WHERE (provider_task <> ''::text);
CREATE UNIQUE INDEX tasks_by_push ON public.tasks USING btree (push_token);
CREATE INDEX tasks_due ON public.tasks USING btree (provider, state, next_at) WHERE (state = ANY (ARRAY['created'::text, 'submitting'::text, 'submitted'::text, 'running'::text, 'fetching'::text, 'in_doubt'::text]));
CREATE INDEX tasks_ended ON public.tasks USING btree (provider, updated_at) WHERE (state = ANY (ARRAY['succeeded'::text, 'failed'::text, 'moderated'::text, 'expired'::text, 'timed_out'::text, 'lost'::text]));
CREATE TRIGGER good_is_owed AFTER UPDATE OF good, wanted ON public.items FOR EACH ROW WHEN (((new.good > old.good) OR (new.wanted < old.wanted))) EXECUTE FUNCTION public.good_is_owed();
CREATE TRIGGER item_state BEFORE UPDATE OF state ON public.items FOR EACH ROW EXECUTE FUNCTION public.state_is_reachable('item');
CREATE TRIGGER printer_state BEFORE UPDATE OF state ON public.printers FOR EACH ROW EXECUTE FUNCTION public.state_is_reachable('printer');
CREATE TRIGGER run_is_approved BEFORE INSERT OR UPDATE OF slice_id, gcode_hash, printer_class, material ON public.runs FOR EACH ROW EXECUTE FUNCTION public.run_is_approved();
CREATE TRIGGER run_is_owed AFTER INSERT OR UPDATE OF state ON public.runs FOR EACH ROW WHEN (public.run_in_flight(new.state)) EXECUTE FUNCTION public.run_is_owed();
CREATE TRIGGER run_state BEFORE UPDATE OF state ON public.runs FOR EACH ROW EXECUTE FUNCTION public.state_is_reachable('run');
CREATE TRIGGER slice_is_approved BEFORE INSERT ON public.slices FOR EACH ROW EXECUTE FUNCTION public.slice_is_approved();
CREATE TRIGGER task_state BEFORE UPDATE OF state ON public.tasks FOR EACH ROW EXECUTE FUNCTION public.state_is_reachable('task');
ALTER TABLE ONLY public.artifacts
    ADD CONSTRAINT artifacts_item_id_fkey FOREIGN KEY (item_id) REFERENCES public.items(id);
ALTER TABLE ONLY public.artifacts
    ADD CONSTRAINT artifacts_model_id_fkey FOREIGN KEY (model_id) REFERENCES public.models(id);
ALTER TABLE ONLY public.items
    ADD CONSTRAINT items_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT ledger_item_id_fkey FOREIGN KEY (item_id) REFERENCES public.items(id);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT ledger_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(id);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT ledger_task_id_fkey FOREIGN KEY (task_id) REFERENCES public.tasks(id);
ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_item_id_fkey FOREIGN KEY (item_id) REFERENCES public.items(id);
ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_task_id_fkey FOREIGN KEY (task_id) REFERENCES public.tasks(id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_quote_id_fkey FOREIGN KEY (quote_id) REFERENCES public.quotes(id);
ALTER TABLE ONLY public.photos
    ADD CONSTRAINT photos_item_id_fkey FOREIGN KEY (item_id) REFERENCES public.items(id);
ALTER TABLE ONLY public.reviews
    ADD CONSTRAINT reviews_item_id_fkey FOREIGN KEY (item_id) REFERENCES public.items(id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_item_id_fkey FOREIGN KEY (item_id) REFERENCES public.items(id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_printer_id_fkey FOREIGN KEY (printer_id) REFERENCES public.printers(id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_slice_id_fkey FOREIGN KEY (slice_id) REFERENCES public.slices(id);
ALTER TABLE ONLY public.slices
    ADD CONSTRAINT slices_item_id_fkey FOREIGN KEY (item_id) REFERENCES public.items(id);
ALTER TABLE ONLY public.slices
    ADD CONSTRAINT slices_model_id_fkey FOREIGN KEY (model_id) REFERENCES public.models(id);
ALTER TABLE ONLY public.slices
    ADD CONSTRAINT slices_result_id_fkey FOREIGN KEY (result_id) REFERENCES public.slice_results(id);
ALTER TABLE ONLY public.tasks
    ADD CONSTRAINT tasks_item_id_fkey FOREIGN KEY (item_id) REFERENCES public.items(id);
