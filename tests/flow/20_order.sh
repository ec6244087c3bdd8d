#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# One order as a shop sends it: HTTP in, review by a person, real slicer, a printer that speaks HTTP, a verdict, scrap owed
# again, packed. Each gate holds: nothing is sliced without a pass, nothing starts on a bed that nobody confirmed.
. "$(dirname "$0")/lib.sh"
photo=$sample
[ -d "$shared/corpus/photos/real" ] && photo=$shared/corpus/photos/real/VAST-AI-Research_TripoSR__examples__hamburger.png

start_service up || exit
start_printer p1 --speed 3000 || exit

answer=$(post_order "$photo" key-one "$(order_json figure-80 2)")
same order_gives_201 201 "$(tail -1 <<<"$answer")"
order=$(head -n -1 <<<"$answer" | jq -r .id)
matches order_has_a_prefixed_id '^ord_[0-9a-z]{26}$' "$order"
again=$(post_order "$photo" key-one "$(order_json figure-80 2)")
same the_same_key_gives_the_same_order "$order" "$(head -n -1 <<<"$again" | jq -r .id)"
other=$(post_order "$photo" key-one "$(order_json figure-80 3)")
same the_same_key_with_another_order_is_refused 422 "$(tail -1 <<<"$other")"

check reaches_review wait_state "$order" review 120
sleep 1
check waits_there_for_a_person state_is "$order" review
item=$(get "/v1/orders/$order" | jq -r '.items[0].id')
hash=$(get "/v1/items/$item" | jq -r .model.threemf_hash)
code=$(curl -s -o "$work/a" -w '%{http_code}' -H 'Content-Type: application/json' -d "{\"decision\":\"pass\",\"threemf_hash\":\"$hash\"}" "$url/v1/items/$item/review")
same a_decision_without_if_match_is_refused 428 "$code"
code=$(curl -s -o "$work/a" -w '%{http_code}' -H 'Content-Type: application/json' -H 'If-Match: "1"' -d "{\"decision\":\"pass\",\"threemf_hash\":\"$hash\"}" "$url/v1/items/$item/review")
same a_decision_on_an_old_version_is_refused 412 "$code"
check the_command_line_passes_it "$program" review pass "$item" --reason "looks right"
check reaches_the_queue wait_state "$order" queued 180
sleep 3
check does_not_start_on_an_unconfirmed_bed state_is "$order" queued
matches explains_why_it_waits '[Bb]ed' "$("$program" queue explain)"
check bed_is_confirmed clear_bed p1
check reaches_printing wait_state "$order" printing 60
run_finished() { [ "$(get "/v1/orders/$order" | jq -r '[.items[0].runs[]|select(.state=="finished")]|length')" -ge 1 ]; }
check the_run_finishes wait_for 90 run_finished
same and_waits_for_a_verdict printing "$(item_state "$order")"
run=$(get "/v1/orders/$order" | jq -r '[.items[0].runs[]|select(.state=="finished")][0].id')
check scrap_is_taken "$program" run scrap "$run" --reason warping
same scrap_is_owed_again 2 "$(get "/v1/orders/$order" | jq '[.items[0].runs[]|select(.state=="queued" or .state=="assigned" or .state=="uploading" or .state=="starting" or .state=="printing")]|length')"
good() { # prints the next run and says it is good
    clear_bed p1
    wait_for 90 run_finished || return 1
    "$program" run good "$(get "/v1/orders/$order" | jq -r '[.items[0].runs[]|select(.state=="finished")][0].id')"
}
check first_good_part good
check second_good_part good
check then_the_item_is_ready wait_state "$order" ready 20
same no_run_was_started_twice 0 "$(started_twice "$sim_url")"

check export_works "$program" order export "$order" -o "$work/export"
for f in photo report 3mf stl gcode task.json; do
    check "export_has_${f/./_}" bash -c "ls $work/export | grep -qE '^[0-9]{2}_.*$f'"
done
if command -v prusa-slicer >/dev/null; then
    matches prusa_slicer_finds_the_3mf_manifold 'manifold = yes' "$(prusa-slicer --info "$work"/export/*.3mf 2>&1)"
else skip prusa_slicer_finds_the_3mf_manifold "prusa-slicer is not installed"; fi
check gcode_passes_the_check bash -c "'$program' gcode check $work/export/*.gcode"
