-- SPDX-License-Identifier: GPL-3.0-or-later
-- Notes in the log of events what a provider did, or what was found about it.
-- $1 text provider   $2 text event   $3 text actor   $4 text reason   $5 jsonb payload
-- rows: 1 (nothing)   locks: none but the new row's
select event_add('provider', $1, null, null, $2, null, null, $3, $4, $5::jsonb)::text
