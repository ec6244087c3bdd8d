-- SPDX-License-Identifier: GPL-3.0-or-later
-- By how much estimates of such figures were wrong so far.
-- $1 text template   $2 text photo class   $3 text printer class
-- rows: 0 or 1 (time factor, grams factor, samples)   locks: none
select time_factor, grams_factor, samples from quote_corrections
where template = $1::text and photo_class = $2::text and printer_class = $3::text;
