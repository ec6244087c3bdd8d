-- SPDX-License-Identifier: GPL-3.0-or-later
-- Lists the printers that are to be looked at, each with the run that is on it.
-- $1 text a printer, or null for all   $2 boolean also those that have been away for more than a minute
-- rows: any (id, driver, url, api_key, state, version, bed_clear, ms since it last answered or null, run, run's state,
--       run's version, file name, progress, ms since the run was written)   locks: none
select p.id, p.driver, p.url, p.api_key, p.state, p.version, p.bed_clear,
       (extract(epoch from clock_timestamp() - p.seen_at) * 1000)::bigint,
       r.id, r.state, r.version, r.file_name, r.progress,
       (extract(epoch from clock_timestamp() - r.updated_at) * 1000)::bigint
from printers p
left join runs r on r.printer_id = p.id
    and r.state in ('assigned', 'uploading', 'starting', 'printing', 'paused', 'unknown')
where p.state <> 'maintenance' and ($1::text is null or p.id = $1)
  and ($2::boolean or p.state <> 'offline' or greatest(p.seen_at, p.updated_at) > now() - interval '1 minute')
order by p.id
