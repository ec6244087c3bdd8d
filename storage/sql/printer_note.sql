-- SPDX-License-Identifier: GPL-3.0-or-later
-- Logs what somebody did to a printer that moves no state by itself.
-- $1 text printer   $2 text event   $3 text actor   $4 text reason
-- rows: 1 (nothing)   locks: none
select event_add('printer', p.id, null, null, $2, p.state, p.state, $3, $4, '{}')
from printers p where p.id = $1
