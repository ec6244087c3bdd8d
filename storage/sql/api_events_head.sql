-- SPDX-License-Identifier: GPL-3.0-or-later
-- The place of the newest event that a reader may see already.
-- $1 int ignored
-- rows: 1 (xact, id); 0 and 0 when there is none   locks: none
select coalesce(max(h.xact), '0'), coalesce(max(h.id), 0)
from (select e.xact::text as xact, e.id from events e
      where e.xact < pg_snapshot_xmin(pg_current_snapshot()) and $1::int is not null
      order by e.xact desc, e.id desc limit 1) h;
