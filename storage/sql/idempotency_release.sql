-- SPDX-License-Identifier: GPL-3.0-or-later
-- Frees an Idempotency-Key that was not answered.
-- $1 text route   $2 text key
-- rows: 0   locks: that row
delete from idempotency where route = $1::text and key = $2::text and status is null;
