-- SPDX-License-Identifier: GPL-3.0-or-later
-- Notes an Idempotency-Key as being worked on. One that was left unanswered for 10 minutes is taken over: its process died.
-- $1 text route   $2 text key   $3 text fingerprint of the request
-- rows: 1 (fresh) or 0 (it is there: idempotency_look tells)   locks: that row
insert into idempotency (route, key, fingerprint) values ($1::text, $2::text, $3::text)
on conflict (route, key) do update set created_at = now()
where idempotency.status is null and idempotency.fingerprint = excluded.fingerprint
  and idempotency.created_at < now() - interval '10 minutes'
returning 1;
