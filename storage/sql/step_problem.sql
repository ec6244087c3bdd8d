-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes what waits for a person, or that nothing does.
-- $1 text item   $2 jsonb {code, message} or null
-- rows: none   locks: the item
update items set problem = $2::jsonb where id = $1
