-- SPDX-License-Identifier: GPL-3.0-or-later
-- Puts a failed job back in line: after 2 s, 4 s, 8 s ... up to 5 min, each between 0.75 and 1.25 of that, but not before $4.
-- $1 bigint id   $2 bigint lease_token   $3 jsonb error   $4 int least delay in ms
-- rows: 1 (back in line) or 0 (the lease was lost)   locks: that job row
update jobs
set worker = null, lease_token = null, lease_until = null, last_error = $3::jsonb,
    run_at = now() + greatest($4::int, least(300000, 1000 * power(2, least(tries, 10))) * (0.75 + random() / 2))
                     * interval '1 ms'
where id = $1::bigint and lease_token = $2::bigint
returning id;
