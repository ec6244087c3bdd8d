#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Sliced while the review waits, queued at once by its pass and by nothing else; killed on the way and sliced once all the
# same; for another class of printers too, which then takes the run. A second opinion on request.
. "$(dirname "$0")/lib.sh"
command -v CuraEngine >/dev/null || { skip all "CuraEngine is not installed"; exit; }
mkdir -p "$work/config/templates"; chmod 755 "$work/config" "$work/config/templates"
jq '.id = "pair" | .also_on = ["ender3v3ke"]' "$root/config/templates/figure-80.json" >"$work/config/templates/pair.json"
export STATUETTE_CONFIG=$work/config STATUETTE_LEASE_S=3
pg_start || { not_ok postgres_starts; exit; }
"$program" migrate >/dev/null || { not_ok migrates; exit; }
start_service serve || exit
start_worker() { "$program" work >>"$work/worker.log" 2>&1 & worker=$!; pids+=("$worker"); disown; }
start_worker
order=$(post_order "$sample" pair "$(order_json pair 1)" | head -n -1 | jq -r .id)
item() { get "/v1/orders/$order" | jq -r ".items[0]$1"; }
is() { [ "$(item "$1")" = "$2" ]; }
slicing() { [ "$(sql "select count(*) from slice_claims c join jobs j on j.id = c.job_id and j.lease_token = c.lease_token")" -ge 1 ]; }

# ---- ahead of the pass, with a kill on the way ----
check the_model_is_being_sliced wait_for 90 slicing
kill -9 "$worker" 2>/dev/null
check it_waits_for_its_review is .state review
same nothing_came_of_the_killed_one 0 "$(sql 'select count(*) from slice_results')"
start_worker
check another_worker_slices_it wait_for 90 is '.slices|length' 1
same for_the_usual_class "ender3v3se figure cura" "$(item '.slices[0]|"\(.printer_class) \(.process) \(.engine)"')"
check with_time_and_plastic test "$(item '.slices[0]|.print_time_s > 60 and .filament_g > 1')" = true
same it_is_not_passed_by_that false "$(item .slices[0].approved)"
same nothing_is_queued "0 0" "$(sql 'select (select count(*) from runs) || chr(32) || (select count(*) from slices)')"
gcode=$(item .slices[0].gcode_hash)
same its_gcode_is_nobodys_file_yet 404 "$(curl -s -o /dev/null -w '%{http_code}' "$url/v1/files/$gcode")"

# ---- a second opinion ----
if command -v prusa-slicer >/dev/null; then
    ask() { curl -s -m 30 -o /dev/null -w '%{http_code}' -X POST "$url/v1/items/$1/second-opinion"; }
    same the_other_slicer_is_asked 202 "$(ask "$(item .id)")"
    answered() { [ "$(item '.slices[0].second_opinion.verdict')" != null ]; }
    check it_answers wait_for 120 answered
    matches with_a_verdict '^(agree|differ)$' "$(item .slices[0].second_opinion.verdict)"
    same and_names_itself prusa "$(item .slices[0].second_opinion.second.engine)"
    same of_no_item_it_says_so 404 "$(ask itm_none)"
    matches the_review_tells_it_in_words "ender3v3se, cura: .* g, .* layers, second opinion: (agree|differ)" "$("$program" review next)"
else skip a_second_opinion "prusa-slicer is not installed"; fi

# ---- the pass ----
check the_pass_is_taken "$program" review pass "$(item .id)"
check it_is_queued_at_once wait_state "$order" queued 10
same with_the_gcode_that_was_there "$gcode" "$(get /v1/queue | jq -r '.runs[0].gcode_hash')"
same sliced_for_that_class_once 1 "$(sql "select count(*) from slice_results where printer_class = 'ender3v3se'")"
same its_gcode_is_a_file_now 200 "$(curl -s -o /dev/null -w '%{http_code}' "$url/v1/files/$gcode")"

# ---- another class ----
check it_is_sliced_for_the_other_class wait_for 120 is '|[.slices[]|select(.printer_class=="ender3v3ke" and .approved)]|length' 1
"$build/tests/sim/printer_sim" --port 0 --key secret --speed 20000 >"$work/sim-ke.log" 2>&1 &
pids+=($!)
wait_for 10 grep -q '^listening' "$work/sim-ke.log"
ke=http://127.0.0.1:$(sed -n 's/^listening //p' "$work/sim-ke.log" | head -1)
check a_printer_of_that_class_is_added "$program" printer add ke --driver virtual --url "$ke" --api-key secret --class ender3v3ke
matches the_queue_says_so "ke is offline" "$("$program" queue explain)"
check its_bed_is_clear clear_bed ke
check it_takes_the_run wait_for 60 is '.runs[0].printer_id' ke
finished() { [ "$(get /v1/queue | jq -r '.runs[0].state')" = finished ]; }
check and_prints_it wait_for 60 finished
same the_gcode_of_its_own_class "$(item '.slices[]|select(.printer_class=="ender3v3ke").gcode_hash')" "$(get /v1/queue | jq -r '.runs[0].gcode_hash')"
same no_run_started_twice 0 "$(started_twice "$ke")"
same nothing_dead 0 "$(sql "select count(*) from job_history where outcome = 'dead'")"
kill -9 "$worker" 2>/dev/null
