-- SPDX-License-Identifier: GPL-3.0-or-later
-- A provider has answered as it should: its faults are forgotten and its circuit is closed.
-- $1 text provider
-- rows: none   locks: the provider, if anything is to be forgotten
update providers set faults = 0, circuit_until = null, circuit_reason = '' where id = $1 and (faults > 0 or circuit_until is not null)
