-- SPDX-License-Identifier: GPL-3.0-or-later
-- Nothing is submitted to a provider for a while: it said so.
-- $1 text provider   $2 float seconds
-- rows: none   locks: the provider
update providers set hold_until = greatest(hold_until, now() + $2::float8 * interval '1 second') where id = $1
