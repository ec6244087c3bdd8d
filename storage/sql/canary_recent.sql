-- SPDX-License-Identifier: GPL-3.0-or-later
-- What was measured of a provider's test orders, newest first: those that gave a model, but for one.
-- $1 text provider   $2 text order that is left out   $3 int how many at most
-- rows: 0.. (measures)   locks: none
select measures from canaries where provider = $1 and order_id <> $2 and made order by at desc limit $3::int
