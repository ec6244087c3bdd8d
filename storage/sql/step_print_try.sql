-- SPDX-License-Identifier: GPL-3.0-or-later
-- Counts an upload.
-- $1 text run
-- rows: none   locks: the run's row
update runs set attempts = attempts + 1 where id = $1
