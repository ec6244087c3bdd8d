-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps a printer's last report; the time too when it answered.
-- $1 text printer   $2 jsonb report   $3 boolean it answered
-- rows: none   locks: the printer's row
update printers
set report = $2::jsonb, seen_at = case when $3::boolean then now() else seen_at end
where id = $1
