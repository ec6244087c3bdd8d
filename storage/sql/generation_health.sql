-- SPDX-License-Identifier: GPL-3.0-or-later
-- How the providers are.
-- $1 text provider, or null for all
-- rows: any (provider, circuit is open, why, faults, balance or null, when, spent today, spent in all, seconds the circuit
--       stays open)   locks: none
select p.id, coalesce(p.circuit_until > now(), false), p.circuit_reason, p.faults, p.balance, p.balance_at,
       (select coalesce(sum(l.credits), 0) from ledger l where l.provider = p.id and l.day = (now() at time zone 'utc')::date),
       (select coalesce(sum(l.credits), 0) from ledger l where l.provider = p.id),
       coalesce(extract(epoch from p.circuit_until - now()), 0)
from providers p where $1::text is null or p.id = $1
