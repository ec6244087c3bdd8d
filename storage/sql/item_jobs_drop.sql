-- SPDX-License-Identifier: GPL-3.0-or-later
-- Moves the waiting jobs of an item, its tasks and its runs to history as dropped. One that a worker holds stays: the
-- worker's own move will be refused.
-- $1 text item id   $2 text reason
-- rows: one a job (id)   locks: those job rows; others are stepped past
with waiting as (
    select j.id from jobs j
    where j.lease_token is null
      and (j.subject = $1::text
           or j.subject in (select t.id from tasks t where t.item_id = $1::text)
           or j.subject in (select r.id from runs r where r.item_id = $1::text))
    for update skip locked
), dropped as (
    delete from jobs j using waiting w where j.id = w.id
    returning j.id, j.kind, j.subject, j.payload, j.tries, j.worker, j.created_at
)
insert into job_history (id, kind, subject, payload, outcome, tries, worker, error, created_at)
select id, kind, subject, payload, 'dropped', tries, worker,
       jsonb_build_object('kind', 'conflict', 'code', 'cancelled', 'message', $2::text), created_at
from dropped
returning id;
