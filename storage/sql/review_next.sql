-- SPDX-License-Identifier: GPL-3.0-or-later
-- The item that has waited longest for its review.
-- $1 text an item to come after (skipped ones), or null
-- rows: 0 or 1 (item id, version, hash of its model's 3MF or null)   locks: none
select i.id, i.version, m.threemf_hash
from items i left join models m on m.id = i.model_id
where i.state = 'review'
  and ($1::text is null or (i.updated_at, i.id) > (select a.updated_at, a.id from items a where a.id = $1::text))
order by i.updated_at, i.id
limit 1;
