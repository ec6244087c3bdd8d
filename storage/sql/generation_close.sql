-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes into the ledger what a task costs in all.
-- $1 text task   $2 numeric credits; null = what was reserved
-- rows: 1 (nothing)   locks: none but the new row's
select ledger_close($1, $2::numeric)::text
