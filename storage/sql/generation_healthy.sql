-- SPDX-License-Identifier: GPL-3.0-or-later
-- A provider has answered as it should: its faults are forgotten and the circuit that they opened is closed. One that a
-- refused key or refused credits opened stays: polls go on to be answered then.
-- $1 text provider
-- rows: none   locks: the provider, if anything is to be forgotten
update providers set faults = 0, circuit_until = case when faults >= 5 then null else circuit_until end,
    circuit_reason = case when faults >= 5 then '' else circuit_reason end
where id = $1 and faults > 0
