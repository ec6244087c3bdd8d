-- SPDX-License-Identifier: GPL-3.0-or-later
-- Quotes: what was said an order would cost and take, what orders rest on them, and by how much such estimates were wrong.

create table quotes (
    id          text primary key,
    form        jsonb not null,                    -- what was asked for, completed from the templates
    document    json not null,                     -- what was answered, in its order: lines, estimates, rates
    total_minor bigint not null,
    currency    text not null check (currency ~ '^[A-Z]{3}$'),
    valid_until timestamptz not null,
    created_at  timestamptz not null default now()
);

alter table orders add column quote_id text references quotes;
create unique index orders_by_quote on orders (quote_id) where quote_id is not null;

-- Actual over estimated, the middle of what was measured; new estimates are multiplied by it.
create table quote_corrections (
    template      text not null,
    photo_class   text not null,
    printer_class text not null,
    time_factor   double precision not null check (time_factor between 0.5 and 2),
    grams_factor  double precision not null check (grams_factor between 0.5 and 2),
    samples       integer not null check (samples >= 5),
    updated_at    timestamptz not null default now(),
    primary key (template, photo_class, printer_class)
);
