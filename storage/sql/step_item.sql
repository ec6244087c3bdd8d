-- SPDX-License-Identifier: GPL-3.0-or-later
-- Reads an item with what a step needs of its order.
-- $1 text item
-- rows: 0 or 1 (order, number, state, template, photo class, model or null, position, round, version, name, options,
--       consent, passed hash or null, number of its model or null)   locks: none
select o.id, o.number, i.state, i.template, o.photo_class, i.model_id, i.position, i.round, i.version, i.name, i.options,
       o.consent, i.approved_hash, (select m.number from models m where m.id = i.model_id)
from items i join orders o on o.id = i.order_id
where i.id = $1
