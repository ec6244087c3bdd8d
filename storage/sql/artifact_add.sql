-- SPDX-License-Identifier: GPL-3.0-or-later
-- Notes a file of an item; one that is noted already stays as it is.
-- $1 text item id   $2 text model id or null   $3 text kind   $4 text name   $5 text mime   $6 text sha256   $7 bigint bytes
-- rows: 0   locks: a key share of the item
insert into artifacts (item_id, model_id, kind, name, mime, sha256, bytes)
values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::bigint)
on conflict (item_id, kind, sha256) do nothing;
