-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a file is, if it is one of an item's; nothing else is handed out.
-- $1 text sha256
-- rows: 0 or 1 (mime, name, bytes)   locks: none
select a.mime, a.name, a.bytes from artifacts a where a.sha256 = $1::text order by a.id limit 1;
