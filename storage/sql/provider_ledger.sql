-- SPDX-License-Identifier: GPL-3.0-or-later
-- Entries of the ledger, newest first.
-- $1 date or null   $2 text order or null   $3 text item or null   $4 bigint only older ones than this entry, or null   $5 int most
-- rows: 0.. (entry's number, document)   locks: none
select l.id, json_build_object(
    'id', l.id, 'at', to_char(l.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'day', l.day, 'provider', l.provider,
    'task_id', l.task_id, 'item_id', l.item_id, 'order_id', l.order_id, 'kind', l.kind, 'credits', l.credits)::text
from ledger l
where ($1::date is null or l.day = $1::date) and ($2::text is null or l.order_id = $2::text)
  and ($3::text is null or l.item_id = $3::text) and ($4::bigint is null or l.id < $4::bigint)
order by l.id desc limit $5::int
