-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes a review's decision.
-- $1 text item id   $2 text decision   $3 text reason   $4 text actor   $5 text hash that was passed, or null
-- rows: 0   locks: a key share of the item
insert into reviews (item_id, model_id, threemf_hash, decision, reason, actor)
select i.id, i.model_id, coalesce($5::text, m.threemf_hash), $2::text, $3::text, $4::text
from items i left join models m on m.id = i.model_id
where i.id = $1::text;
