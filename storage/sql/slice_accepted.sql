-- SPDX-License-Identifier: GPL-3.0-or-later
-- Tells whether a person passed a 3MF after the other engine's opinion on its slice was there: who did so has taken it.
-- $1 text item   $2 text 3MF hash   $3 text result
-- rows: 1 (true or false)   locks: none
select exists (select from reviews v join slice_results r on r.id = $3
               where v.item_id = $1 and v.threemf_hash = $2 and v.decision = 'pass' and v.actor like 'user:%'
                 and v.created_at >= r.opinion_at)
