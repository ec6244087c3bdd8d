-- SPDX-License-Identifier: GPL-3.0-or-later
-- The newest migration that was laid.
-- $1 int ignored
-- rows: 1 (number)   locks: none
select coalesce(max(number), 0) from schema_migrations where $1::int is not null;
