-- SPDX-License-Identifier: GPL-3.0-or-later
-- Counts a server fault of a provider; the fifth in a row opens its circuit, longer each time up to an hour.
-- $1 text provider   $2 text reason
-- rows: 1 (faults in a row)   locks: the provider
insert into providers (id, faults) values ($1, 1)
on conflict (id) do update set faults = providers.faults + 1,
    circuit_until = case when providers.faults + 1 >= 5
        then now() + least(3600, 30 * 2 ^ least(providers.faults - 4, 7)) * interval '1 second' else providers.circuit_until end,
    circuit_reason = case when providers.faults + 1 >= 5 then $2 else providers.circuit_reason end
returning faults
