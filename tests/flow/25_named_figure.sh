#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A figure on a base with words: what the order says is on the part, what does not fit goes to a person with the reason, and the
# person's other words are taken.
. "$(dirname "$0")/lib.sh"
start_service up || exit
named() { order_json named-figure 1 | jq -c --arg text "$1" '.items[0].text=$text'; }

answer=$(post_order "$sample" fits "$(named "REX 2026")")
same a_text_is_taken 201 "$(tail -1 <<<"$answer")"
order=$(head -n -1 <<<"$answer" | jq -r .id)
check reaches_review wait_state "$order" review 120
item=$(get "/v1/items/$(get "/v1/orders/$order" | jq -r '.items[0].id')")
same the_base_was_added 1 "$(jq '[.model.report.steps[]|select(.name=="add_base" and .changed)]|length' <<<"$item")"
same the_height_is_that_of_all 90 "$(jq '.model.report.output.size_mm[2]|round' <<<"$item")"
same it_is_watertight_without_crossings "true 0" "$(jq -r '.model.report.output|"\(.watertight) \(.self_intersections)"' <<<"$item")"
same it_was_held_against_the_photo number "$(jq -r '.model.report.output.silhouette_overlap|type' <<<"$item")"
for view in front iso back thin overhang change turn; do
    hash=$(jq -r ".model.renders.$view" <<<"$item")
    same "the_picture_${view}_is_a_png" 89504e47 "$(get "/v1/files/$hash" | head -c 4 | od -An -tx1 | tr -d ' \n')"
done

long=$(post_order "$sample" long "$(named "The quick brown fox jumps over the lazy dog, twice a day")")
same a_long_text_is_an_order_too 201 "$(tail -1 <<<"$long")"
order=$(head -n -1 <<<"$long" | jq -r .id)
check it_goes_to_a_person wait_state "$order" review 120
problem=$(get "/v1/orders/$order" | jq -r '.items[0].problem|"\(.code) \(.message)"')
matches with_the_reason '^text_too_long .*fit' "$problem"
check who_shortens_it "$program" review revise "$(get "/v1/orders/$order" | jq -r '.items[0].id')" --reason "too long" --text FOX
has_model() { [ "$(get "/v1/items/$(get "/v1/orders/$order" | jq -r '.items[0].id')" | jq -r '.model.threemf_hash // empty|length')" = 64 ]; }
check and_a_model_comes_of_it wait_for 120 has_model

none=$(post_order "$sample" none "$(order_json figure-80 1 | jq -c '.items[0].text="REX"')")
same no_base_no_text 422 "$(tail -1 <<<"$none")"
matches and_says_so 'no base' "$none"
