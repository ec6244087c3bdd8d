-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes the verdict on a run's part.
-- $1 text run id   $2 text verdict   $3 text by whom   $4 text reason
-- rows: 0   locks: the run
update runs set verdict = $2::text, verdict_by = $3::text, verdict_reason = $4::text, updated_at = now()
where id = $1::text;
