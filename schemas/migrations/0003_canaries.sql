-- SPDX-License-Identifier: GPL-3.0-or-later
-- The daily test orders of providers, how providers fared over a time, and the fetching of the keys of their pushes. Runs inside
-- one transaction.

-- One a test order: what was measured of it, and by what it was found to have moved.
create table canaries (
    order_id text primary key,                -- of an order that may be deleted since
    provider text not null,
    at       timestamptz not null default now(),
    made     boolean not null,                -- a model came of it
    measures jsonb not null,
    moved    jsonb not null default '[]'      -- [{measure, now, usual, limit}]
);
create index canaries_by_provider on canaries (provider, at desc);

alter table providers add column keys_tried_at timestamptz; -- one asks for keys, and not all that were pushed to

create index tasks_ended on tasks (provider, updated_at)
    where state in ('succeeded', 'failed', 'moderated', 'expired', 'timed_out', 'lost');
