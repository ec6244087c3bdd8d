-- SPDX-License-Identifier: GPL-3.0-or-later
-- Notes whether a printer's bed is empty; an empty bed belongs to no run.
-- $1 text printer   $2 boolean clear
-- rows: none   locks: the printer's row
update printers
set bed_clear = $2::boolean, run_id = case when $2::boolean then null else run_id end,
    version = version + 1, updated_at = now()
where id = $1
