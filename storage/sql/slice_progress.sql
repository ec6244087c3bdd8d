-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps how far a slicing is, and tells those who watch.
-- $1 text 3MF hash   $2 text settings hash   $3 bigint job   $4 bigint its lease token   $5 float8 share, 0..1   $6 text actor
-- rows: 1 (the event) when the claim is still the job's, else 0   locks: the claim's row
with told as (
    update slice_claims set share = $5::float8
    where threemf_hash = $1 and settings_hash = $2 and job_id = $3::bigint and lease_token = $4::bigint
    returning item_id, printer_class, engine, ahead, share
)
select event_add('item', i.id, i.order_id, i.id, 'slice.progress', null, null, $6, '',
                 jsonb_build_object('printer_class', t.printer_class, 'engine', t.engine, 'ahead', t.ahead, 'share', t.share))::text
from told t join items i on i.id = t.item_id
