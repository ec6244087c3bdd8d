-- SPDX-License-Identifier: GPL-3.0-or-later
-- Keeps the answer to an Idempotency-Key, in the transaction of the effect.
-- $1 text route   $2 text key   $3 int status   $4 text response
-- rows: 1 (kept) or 0 (another has answered it, or it was given back)   locks: that row
update idempotency set status = $3::int, response = $4::text
where route = $1::text and key = $2::text and status is null
returning 1;
