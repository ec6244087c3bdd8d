-- SPDX-License-Identifier: GPL-3.0-or-later
-- Registers a printer; its bed counts as unknown until a person has looked.
-- $1 text id   $2 text name   $3 text driver   $4 text url   $5 text key   $6 text printer class   $7 text material   $8 text actor
-- rows: 1 (ignored); 23505 when the id is taken   locks: the new row
with added as (
    insert into printers (id, name, driver, url, api_key, printer_class, material)
    values ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text)
    returning id
)
select event_add('printer', id, null, null, 'printer.registered', null, 'offline', $8::text, '', '{}') from added;
