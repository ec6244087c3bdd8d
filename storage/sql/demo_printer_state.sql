-- SPDX-License-Identifier: GPL-3.0-or-later
-- $1 text printer id
-- rows: 0 or 1 (state)   locks: none
select state from printers where id = $1::text
