-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tells whether a job of these kinds has been due for a second and nobody takes it: then all workers are busy, and what is
-- only done ahead is to give way.
-- $1 text kinds, comma-separated
-- rows: 1 (true or false)   locks: none
select exists (select from jobs j where j.kind = any (string_to_array($1, ',')) and j.lease_token is null
               and j.run_at <= now() - interval '1 second')
