-- SPDX-License-Identifier: GPL-3.0-or-later
-- Lets one transaction at a time through a gate that is named by a word; the others wait until it ends.
-- $1 text name of the gate
-- rows: 1   locks: an advisory lock of the transaction
select pg_advisory_xact_lock(hashtextextended('statuette ' || $1::text, 0));
