-- SPDX-License-Identifier: GPL-3.0-or-later
-- Whether a database of that name is there.
-- $1 text name
-- rows: 0 or 1   locks: none
select 1 from pg_database where datname = $1::text;
