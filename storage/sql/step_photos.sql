-- SPDX-License-Identifier: GPL-3.0-or-later
-- Reads an item's photos, the front view first.
-- $1 text item
-- rows: any (report, normal, cutout, provider hash and mime, side)   locks: none
select report, normal_hash, cutout_hash, provider_hash, provider_mime, slot
from photos where item_id = $1
order by (slot <> 'front'), created_at, id
