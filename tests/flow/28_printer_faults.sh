#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A printer that fails in mid-print, goes away and comes back, or starts without saying so: the part is owed again only where
# its print is known to have failed, and no file is started twice whatever happens.
. "$(dirname "$0")/lib.sh"
start_service up || exit
order=$(post_order "$sample" faults "$(order_json demo 1)" | head -n -1 | jq -r .id)
start_printer p1 --speed 400 || exit
fault() { curl -s -o /dev/null -w '%{http_code}' -m 10 -d "{\"fault\":\"$1\"}" "$sim_url/sim/fault"; }
runs() { get "/v1/orders/$order" | jq -r ".items[0].runs|map(select(.state==\"$1\"))|length"; }
has_run() { [ "$(runs "$1")" -ge 1 ]; }
run_in() { get "/v1/orders/$order" | jq -r "[.items[0].runs[]|select(.state==\"$1\")][0].id"; }
printer() { get /v1/printers | jq -r '.printers[0].state'; }
printer_is() { [ "$(printer)" = "$1" ]; }
starts() { curl -s -H 'X-Api-Key: secret' "$sim_url/sim/stats" | jq .starts_total; }
check an_order_is_queued wait_state "$order" queued 120

# ---- the answer to the start is lost, and it had started ----
fault lose_start_answer >/dev/null
check the_bed_is_confirmed clear_bed p1
check a_start_without_an_answer_is_found_out wait_for 30 has_run printing
same it_was_given_once 1 "$(starts)"

# ---- the print fails ----
same a_fault_is_set 204 "$(fault fail_print)"
check a_failed_print_is_told wait_for 40 has_run failed
same the_part_is_owed_and_waits_for_a_verdict printing "$(item_state "$order")"
matches a_person_is_told run_failed "$(get "/v1/orders/$order" | jq -r '[.issues[].code]|join(" ")')"
check the_verdict_is_scrap "$program" run scrap "$(run_in failed)" --reason "stopped in the middle"
check the_part_is_owed_again wait_for 20 has_run queued
sleep 4
same nothing_starts_on_a_bed_with_half_a_part 1 "$(starts)"
check the_printer_waits_for_its_bed wait_for 30 printer_is awaiting_clear
check somebody_clears_it clear_bed p1
check then_the_next_run_starts wait_for 40 has_run printing
same as_the_second_start 2 "$(starts)"

# ---- no contact in mid-print ----
fault silent >/dev/null
check without_contact_the_run_is_unknown wait_for 60 has_run unknown
same its_part_is_not_owed_again 0 "$(runs queued)"
sleep 3
fault none >/dev/null
found() { has_run printing || has_run finished; }
check it_is_found_again_when_the_printer_is_back wait_for 60 found
same and_was_not_started_again 2 "$(starts)"
check it_prints_to_its_end wait_for 60 has_run finished
check the_part_is_good "$program" run good "$(run_in finished)"
check the_item_is_ready wait_state "$order" ready 20
same no_file_was_started_twice 0 "$(started_twice "$sim_url")"
