-- SPDX-License-Identifier: GPL-3.0-or-later
-- Finds runs that are on their way to a printer with no job that would bring them there: a job that died.
-- rows: any (run, fence)   locks: none
select r.id, r.fence
from runs r
where r.state in ('assigned', 'uploading', 'starting') and r.updated_at < now() - interval '10 seconds'
  and not exists (select from jobs j where j.kind = 'print' and j.subject = r.id)
limit 100
