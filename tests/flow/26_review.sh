#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a reviewer and a shop may decide: revise, make anew, reject, pass what was seen and nothing else, cancel in time.
. "$(dirname "$0")/lib.sh"
export STATUETTE_UPLOAD_MB=20
start_service up || exit
place() { # KEY TEMPLATE QUANTITY: prints the order
    post_order "$sample" "$1" "$(order_json "$2" "$3")" | head -n -1 | jq -r .id
}
item() { get "/v1/orders/$1" | jq -r ".items[0]$2"; }
stage() { get "/v1/orders/$1" | jq -r .stage; }
model_is() { [ "$(item "$1" .model.number)" = "$2" ] && state_is "$1" review; }
decide() { # ORDER ETAG JSON: prints the status, the answer is in $work/a
    curl -s -m 30 -o "$work/a" -w '%{http_code}' -H 'Content-Type: application/json' -H "If-Match: $2" -d "$3" "$url/v1/items/$(item "$1" .id)/review"
}
refusal() { jq -r .code "$work/a"; }

changed=$(place changed figure-80 1) refused=$(place refused figure-80 1)
check two_items_reach_review wait_state "$changed" review 60
check both_of_them wait_state "$refused" review 60

# ---- revise: another height ----
first=$(item "$changed" .model.threemf_hash) version=$(item "$changed" .version)
files=$(item "$changed" '.artifacts|length')
check a_reviewer_asks_for_another_height "$program" review revise "$(item "$changed" .id)" --height 60 --reason "the shelf is low"
check a_second_version_is_made wait_for 60 model_is "$changed" 2
second=$(item "$changed" .model.threemf_hash)
same of_that_height 60 "$(item "$changed" '.model.report.output.size_mm[2]|round')"
check with_other_bytes test "$first" != "$second"
same from_the_same_model 1 "$(item "$changed" '.tasks|length')"
check all_earlier_files_are_kept test "$(item "$changed" '.artifacts|length')" -gt "$files"
same the_first_3mf_is_still_there "$first" "$(get "/v1/files/$first" | sha256sum | cut -d' ' -f1)"
same under_its_own_name "05_prepared.3mf 05_prepared__002.3mf" "$(item "$changed" '.artifacts|map(select(.kind=="threemf").name)|sort|join(" ")')"
same the_decision_is_on_record "revise the shelf is low" "$(item "$changed" '.reviews[0]|"\(.decision) \(.reason)"')"
same a_height_beyond_the_template_is_refused 422 "$(decide "$changed" "\"$(item "$changed" .version)\"" '{"decision":"revise","reason":"x","options":{"height_mm":900}}')"
same with_its_own_code option_out_of_range "$(refusal)"
same nor_may_a_review_bring_a_policy_along 422 "$(decide "$changed" "\"$(item "$changed" .version)\"" '{"decision":"revise","reason":"x","options":{"auto_pass":{"policy":"me","verdicts":["pass"]}}}')"
check and_the_item_stays_in_review state_is "$changed" review

# ---- pass: the bytes that were seen ----
now="\"$(item "$changed" .version)\""
same a_pass_seen_on_an_old_version_is_refused 412 "$(decide "$changed" "\"$version\"" "{\"decision\":\"pass\",\"threemf_hash\":\"$second\"}")"
same a_pass_on_the_old_bytes_is_refused 409 "$(decide "$changed" "$now" "{\"decision\":\"pass\",\"threemf_hash\":\"$first\"}")"
same with_its_code model_changed "$(refusal)"
check nothing_moved state_is "$changed" review
same nothing_is_approved null "$(item "$changed" .approved_hash)"

# ---- make anew ----
check a_reviewer_has_it_made_anew "$program" review revise "$(item "$changed" .id)" --regenerate --reason "looks away"
check a_third_version_is_made wait_for 60 model_is "$changed" 3
same in_a_second_round 2 "$(item "$changed" .round)"
same with_a_task_of_its_own "1 2" "$(item "$changed" '.tasks|map(.round|tostring)|join(" ")')"
same the_height_still_holds 60 "$(item "$changed" '.model.report.output.size_mm[2]|round')"
third=$(item "$changed" .model.threemf_hash)
same a_pass_on_the_present_bytes_is_taken 200 "$(decide "$changed" "\"$(item "$changed" .version)\"" "{\"decision\":\"pass\",\"threemf_hash\":\"$third\"}")"
same it_is_bound_to_them "$third" "$(item "$changed" .approved_hash)"
matches passing_it_twice_is_refused '^4(09|12)$' "$(decide "$changed" "\"$(item "$changed" .version)\"" "{\"decision\":\"pass\",\"threemf_hash\":\"$third\"}")"

# ---- reject ----
same a_rejection_needs_a_reason 422 "$(decide "$refused" "\"$(item "$refused" .version)\"" '{"decision":"reject"}')"
check a_reviewer_rejects "$program" review reject "$(item "$refused" .id)" --reason "not the dog"
same the_item_has_failed failed "$(item "$refused" .state)"
same and_the_order_too failed "$(stage "$refused")"
same nothing_was_sliced_of_it null "$(item "$refused" .slice)"
same what_has_failed_cannot_be_cancelled 409 "$(curl -s -o "$work/a" -w '%{http_code}' -X POST -H 'Content-Type: application/json' -d '{}' "$url/v1/orders/$refused/cancel")"

# ---- cancel: while it waits, not while it prints ----
cancel() { curl -s -o "$work/a" -w '%{http_code}' -X POST -H 'Content-Type: application/json' -d '{"reason":"the customer asked"}' "$url/v1/orders/$1/cancel"; }
waiting() { get /v1/queue | jq --arg o "$1" '[.runs[]|select(.order_id==$o and .state=="queued")]|length'; }
check the_passed_item_is_queued wait_state "$changed" queued 120
kept=$(place kept demo 1)
check another_is_queued wait_state "$kept" queued 120
same its_run_waits 1 "$(waiting "$changed")"
same a_queued_order_is_cancelled 200 "$(cancel "$changed")"
same the_order_says_so cancelled "$(stage "$changed")"
same its_run_is_gone_from_the_queue 0 "$(waiting "$changed")"
same the_other_run_stays 1 "$(waiting "$kept")"
start_printer p1 --speed 60 || exit
check the_bed_is_confirmed clear_bed p1
check the_other_order_prints wait_state "$kept" printing 60
same while_it_prints_it_cannot_be_cancelled 409 "$(cancel "$kept")"
same that_has_its_code part_printing "$(refusal)"
check and_it_prints_on state_is "$kept" printing
same one_start_in_all 1 "$(curl -s -H 'X-Api-Key: secret' "$sim_url/sim/stats" | jq .starts_total)"
