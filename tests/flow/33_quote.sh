#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A quote before there is an order: made without a service, held against real slices, kept by the service, cited by an order
# that is printed, and settled by what that took.
. "$(dirname "$0")/lib.sh"
robot=$root/config/samples/robot.jpg

quote() { "$program" quote --quiet --json "$@"; }
sum() { jq "[$1[].minor] | add"; } # of the lines at that place
plain=$(quote --template figure-80 --photo-class pet)
same an_item_is_the_sum_of_its_lines "$(jq '.items[0].price_minor' <<<"$plain")" "$(sum '.items[0].lines' <<<"$plain")"
same a_quote_is_the_sum_of_its_lines "$(jq .total_minor <<<"$plain")" "$(sum .lines <<<"$plain")"
same it_says_what_it_rests_on class "$(jq -r '.items[0].based_on.kind' <<<"$plain")"
matches people_can_read_it 'valid until 20' "$("$program" quote --template lithophane)"
"$program" quote --template nothing >/dev/null 2>&1
same an_unknown_template_is_refused 5 $?
"$program" quote --slice >/dev/null 2>&1
same slicing_needs_a_model 2 $?

# What the measures say against what the slicer says: two standard deviations either way; p90 is 1.28 of them above.
near() { # ESTIMATE SLICE
    jq -en --argjson e "$1" --argjson s "$2" '[[$e.time_s, $s.time_s.p50], [$e.grams, $s.grams.p50]] | all(
        (.[0].p90 / .[0].p50 | log) as $one | ((.[1] / .[0].p50) | log | fabs) < $one / 1.2816 * 2)' >/dev/null
}
for case in "dog ender3v3se 60 $sample" "dog k2plus 60 $sample" "robot ender3v3ke 70 $robot"; do
    read -r what printer height photo <<<"$case"
    args=(--template figure-80 --photo "$photo" --printer "$printer" --height "$height")
    estimate=$(quote "${args[@]}" | jq '.items[0].estimate')
    slice=$(quote "${args[@]}" --slice | jq '.items[0].estimate')
    check "the_slice_of_the_${what}_is_within_the_spread_on_$printer" near "$estimate" "$slice"
done
sharp=$(jq '.time_s.p90 / .time_s.p50' <<<"$estimate")
same a_measured_figure_is_surer_than_a_guess true "$(jq --argjson s "$sharp" '.items[0].estimate.time_s | (.p90 / .p50) > $s' <<<"$plain")"

start_service up || exit
start_printer p1 --speed 3000 || exit
kept=$("$program" quote --save --json --template figure-80 --height 50)
id=$(jq -r .id <<<"$kept")
matches the_service_keeps_it '^quo_[0-9a-z]{26}$' "$id"
same here_and_there_say_the_same "$(quote --template figure-80 --height 50 | jq .total_minor)" "$(jq .total_minor <<<"$kept")"
"$program" order add "$sample" --template figure-80 --height 60 --quote "$id" >/dev/null 2>&1
same another_height_is_refused 5 $?
order=$("$program" order add "$sample" --template figure-80 --height 50 --quote "$id" --json | jq -r .id)
same the_order_has_its_price "$(jq .total_minor <<<"$kept")" "$(get "/v1/orders/$order" | jq .price_minor)"
"$program" order add "$sample" --template figure-80 --height 50 --quote "$id" >/dev/null 2>&1
same a_quote_is_used_once 4 $?

check reaches_review wait_state "$order" review 120
check is_passed "$program" review pass "$(get "/v1/orders/$order" | jq -r '.items[0].id')"
check reaches_the_queue wait_state "$order" queued 180
check bed_is_confirmed clear_bed p1
run_finished() { [ "$(get "/v1/orders/$order" | jq -r '[.items[0].runs[]|select(.state=="finished")]|length')" -ge 1 ]; }
check the_run_finishes wait_for 90 run_finished
check scrap_is_taken "$program" run scrap "$(get "/v1/orders/$order" | jq -r '[.items[0].runs[]|select(.state=="finished")][0].id')" --reason warping
again() { clear_bed p1; wait_for 90 run_finished; }
check it_is_printed_again again
check the_part_is_good "$program" run good "$(get "/v1/orders/$order" | jq -r '[.items[0].runs[]|select(.state=="finished")][0].id')"
check the_item_is_ready wait_state "$order" ready 20

settled=$(get "/v1/quotes/$id")
one() { jq "$1" <<<"$(jq '.actual.items[0]' <<<"$settled")"; }
same it_names_its_order "$order" "$(jq -r .order_id <<<"$settled")"
same one_is_good_and_one_is_lost '1 1' "$(one .good) $(one .lost)"
same the_slice_is_beside_the_estimate true "$(one '.piece.sliced_time_s > 0 and .piece.estimated_time_s > 0 and .piece.printed_time_s >= 0')"
same material_is_what_was_sliced true "$(jq '.items[0].rates.price_minor_per_kg as $kg | .actual.items[0] | (.piece.sliced_grams * $kg / 1000 | round) as $m
    | .lines | map({(.code): .minor}) | add | (.material - $m | fabs) <= 1 and .reprints >= $m' <<<"$settled")"
same every_line_has_its_difference true "$(one '[.lines[] | .minor - .estimated_minor == .difference_minor] | all')"
same the_order_says_the_same "$(jq .actual.total_minor <<<"$settled")" "$(get "/v1/orders/$order" | jq .cost.total_minor)"
matches the_command_shows_it 'so far: 1 good, 1 lost' "$("$program" quote show "$id")"
same the_report_has_one_item 1 "$("$program" quote report --json | jq '.groups[0].samples')"
same one_item_teaches_nothing null "$("$program" quote settle --json | jq '.groups[0].correction')"
