-- SPDX-License-Identifier: GPL-3.0-or-later
-- What was measured of a test order.
-- $1 text order
-- rows: 0 or 1 (measures, what moved)   locks: none
select measures, moved from canaries where order_id = $1
