-- SPDX-License-Identifier: GPL-3.0-or-later
-- Where an item stands, for a model that is sent in. To be asked under the item's lock.
-- $1 text item
-- rows: 0 or 1 (state, round, models sent in so far)   locks: none
select i.state, i.round, (select count(*) from tasks t where t.item_id = i.id and t.provider = 'upload')
from items i where i.id = $1
