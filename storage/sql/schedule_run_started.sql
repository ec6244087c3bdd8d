-- SPDX-License-Identifier: GPL-3.0-or-later
-- Notes that a run is printing; a start seen again keeps the first time.
-- $1 text run
-- rows: none   locks: the run's row
update runs set started_at = coalesce(started_at, now()) where id = $1
