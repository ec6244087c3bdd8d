-- SPDX-License-Identifier: GPL-3.0-or-later
-- A quote and the order that rests on it.
-- $1 text quote
-- rows: 0 or 1 (document, form, has it expired, order id or null)   locks: none
select q.document::text, q.form::text, q.valid_until <= now(), o.id
from quotes q left join orders o on o.quote_id = q.id
where q.id = $1::text;
