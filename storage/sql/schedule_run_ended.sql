-- SPDX-License-Identifier: GPL-3.0-or-later
-- Notes that a run came to an end, with the printer's or a person's reason.
-- $1 text run   $2 text reason or ''
-- rows: none   locks: the run's row
update runs
set ended_at = now(), reason = $2, progress = case when state = 'finished' then 1 else progress end
where id = $1
