-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes a photo of an item.
-- $1 text id   $2 text item id   $3 text slot   $4 text format   $5 int width   $6 int height   $7 text normal_hash
-- $8 text cutout_hash   $9 text provider_hash   $10 text provider_mime   $11 jsonb report
-- rows: 0   locks: a key share of the item
insert into photos (id, item_id, slot, format, width, height, normal_hash, cutout_hash, provider_hash, provider_mime, report)
values ($1::text, $2::text, $3::text, $4::text, $5::int, $6::int, $7::text, $8::text, $9::text, $10::text, $11::jsonb);
