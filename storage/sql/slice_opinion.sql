-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps what another engine makes of what was sliced, ends the claim on asking it, and tells those who watch.
-- $1 text result   $2 jsonb opinion   $3 text claim, as a settings hash   $4 bigint job   $5 text item   $6 text actor
-- rows: 1 (the event)   locks: the result's row
with given as (
    update slice_results set opinion = $2::jsonb, opinion_at = clock_timestamp() where id = $1
    returning threemf_hash, printer_class, opinion
), ended as (
    delete from slice_claims c using given g
    where c.threemf_hash = g.threemf_hash and c.settings_hash = $3 and c.job_id = $4::bigint
)
select event_add('item', i.id, i.order_id, i.id, 'slice.second_opinion', null, null, $6, '',
                 jsonb_build_object('printer_class', g.printer_class, 'verdict', g.opinion -> 'verdict'))::text
from given g join items i on i.id = $5
