-- SPDX-License-Identifier: GPL-3.0-or-later
-- Is this the code of a good part of this item?
-- $1 text item id   $2 text part code
-- rows: 0 or 1 (run id)   locks: none
select r.id from runs r where r.item_id = $1::text and r.part_code = $2::text and r.verdict = 'good';
