-- SPDX-License-Identifier: GPL-3.0-or-later
-- Reads where an item and its present model stand, for what is sliced ahead of need.
-- $1 text item
-- rows: 0 or 1 (state, model or null, hash of its 3MF or null, passed hash or null, whether a problem is shown)   locks: none
select i.state, i.model_id, m.threemf_hash, i.approved_hash, i.problem is not null
from items i left join models m on m.id = i.model_id
where i.id = $1
