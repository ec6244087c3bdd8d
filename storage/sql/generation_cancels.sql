-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tasks that were called off here and of which the provider has not been told; told once, whatever comes of it.
-- $1 text provider
-- rows: any (task, provider's task, second handle)   locks: those tasks
update tasks t set cancel_sent = true
where t.id in (select id from tasks where provider = $1 and state = 'cancelled' and provider_task <> '' and not cancel_sent
               limit 20 for update skip locked)
returning t.id, t.provider_task, t.provider_aux
