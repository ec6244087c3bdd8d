-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a verdict on a run needs to know.
-- $1 text run id
-- rows: 1 (item id, slice id, state, part code) or 0   locks: none; the caller holds the item
select item_id, slice_id, state, part_code from runs where id = $1::text;
