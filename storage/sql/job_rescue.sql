-- SPDX-License-Identifier: GPL-3.0-or-later
-- Takes back lapsed leases: jobs with tries left are due again at once, the others end as dead with an event.
-- $1 int how many at most
-- rows: 1 (how many)   locks: those job rows; others step past them
with lapsed as (
    select id, tries, max_tries from jobs
    where lease_token is not null and lease_until < now()
    order by lease_until limit $1::int
    for update skip locked
), freed as (
    update jobs j set worker = null, lease_token = null, lease_until = null, run_at = now(),
        last_error = jsonb_build_object('kind', 'later', 'code', 'lease_lapsed',
                                        'message', 'the lease of worker ' || j.worker || ' lapsed')
    from lapsed l where j.id = l.id and l.tries < l.max_tries
    returning j.id
), dead as (
    delete from jobs j using lapsed l where j.id = l.id and l.tries >= l.max_tries
    returning j.id, j.kind, j.subject, j.payload, j.tries, j.worker, j.created_at
), buried as (
    insert into job_history (id, kind, subject, payload, outcome, tries, worker, error, created_at)
    select id, kind, subject, payload, 'dead', tries, worker,
           jsonb_build_object('kind', 'later', 'code', 'lease_lapsed',
                              'message', 'the lease lapsed ' || tries || ' times'), created_at
    from dead
    returning id, kind, subject, worker, error
), told as (
    select job_event(id, kind, subject, 'job.dead', worker, error)::text from buried
), woken as (
    select pg_notify('statuette_jobs', '')::text where exists (select 1 from freed)
)
select (select count(*) from freed) + (select count(*) from told), (select count(*) from woken);
