-- SPDX-License-Identifier: GPL-3.0-or-later
-- What is known of an Idempotency-Key.
-- $1 text route   $2 text key
-- rows: 1 (fingerprint, status or null, response) or 0   locks: none
select fingerprint, status, response from idempotency where route = $1::text and key = $2::text;
