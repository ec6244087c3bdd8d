-- SPDX-License-Identifier: GPL-3.0-or-later
-- Stores how far a run is, for those who watch.
-- $1 text run   $2 float8 progress 0..1
-- rows: none   locks: the run's row
update runs set progress = $2::float8, updated_at = now() where id = $1
