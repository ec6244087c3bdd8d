-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a decision on an item is checked against.
-- $1 text item id
-- rows: 1 (state, version, model id or null, hash of that model's 3MF or null) or 0   locks: none; the caller holds the item
select i.state, i.version, i.model_id, m.threemf_hash
from items i left join models m on m.id = i.model_id
where i.id = $1::text;
