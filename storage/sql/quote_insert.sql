-- SPDX-License-Identifier: GPL-3.0-or-later
-- Writes a quote.
-- $1 text id   $2 jsonb form   $3 json document   $4 bigint total in minor units   $5 text currency   $6 timestamptz valid until
-- rows: 0   locks: none but the new row's
insert into quotes (id, form, document, total_minor, currency, valid_until)
values ($1::text, $2::jsonb, $3::json, $4::bigint, $5::text, $6::timestamptz);
