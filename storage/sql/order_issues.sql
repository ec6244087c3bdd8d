-- SPDX-License-Identifier: GPL-3.0-or-later
-- What an order waits for, or every order: the weightiest first.
-- $1 text order id, or null for all   $2 int how many at most
-- rows: 0.. (order id, document)   locks: none
select order_id, json_build_object(
    'order_id', order_id, 'item_id', item_id, 'subject', subject, 'code', code, 'severity', severity, 'action_by', action_by,
    'message', message, 'since', to_char(since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::text
from issues
where $1::text is null or order_id = $1::text
order by case severity when 'error' then 0 when 'warning' then 1 else 2 end, since, subject
limit $2::int;
