#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A model of the customer's own, and one of the shop's own for an item in review or while one is made: each goes the way of a
# made one, nobody is asked for it, and what is no model is refused at the door.
. "$(dirname "$0")/lib.sh"
cp -r "$root/config" "$work/config"
jq '.id="remote"|.provider.route=["hunyuan3d2"]' "$root/config/templates/figure-80.json" >"$work/config/templates/remote.json"
chmod -R a+rX "$work/config"
export STATUETTE_CONFIG=$work/config STATUETTE_HUNYUAN3D2_URL=http://127.0.0.1:9 # nobody is there
start_service up || exit

box() { # X Y Z: an OBJ of that size
    awk -v x="$1" -v y="$2" -v z="$3" 'BEGIN {
        for (i = 0; i < 8; i++) print "v", x * (i % 2), y * (int(i / 2) % 2), z * int(i / 4)
        n = split("1 3 2,2 3 4,5 6 7,6 8 7,1 2 5,2 6 5,3 7 4,4 7 8,1 5 3,3 5 7,2 4 6,4 8 6", f, ",")
        for (i = 1; i <= n; i++) print "f", f[i] }'
}
box 20 20 60 >"$work/box.obj"
box 30 20 50 >"$work/other.obj"
box 20 30 40 >"$work/third.obj"
own() { printf '{"items":[{"template":"%s"%s}],"consent":{"text_version":"v1","given_at":"2026-01-01T00:00:00Z","photo_class":"child"}}' "$1" "${2:-}"; }
send() { # KEY JSON FORM..: prints the answer, then the status on a line of its own
    local key=$1 json=$2; shift 2
    curl -s -m 60 -w '\n%{http_code}' -H "Idempotency-Key: $key" -F "order=$json;type=application/json" "$@" "$url/v1/orders"
}
refused() { # NAME CODE ANSWER
    same "$1" "422 $2" "$(tail -1 <<<"$3") $(head -n -1 <<<"$3" | jq -r .code)"
}
item() { get "/v1/orders/$order" | jq -r ".items[0]$1"; }

# ---- the customer's ----
answer=$(send c1 "$(own own-model)" -F "model=@$work/box.obj")
same an_own_model_is_an_order 201 "$(tail -1 <<<"$answer")"
order=$(head -n -1 <<<"$answer" | jq -r .id)
check it_reaches_review wait_state "$order" review 60
same made_by_nobody "upload succeeded" "$(item '.tasks|map("\(.provider) \(.state)")|join(",")')"
same its_bytes_are_kept "$(sha256sum <"$work/box.obj" | cut -d' ' -f1)" "$(item '.artifacts[]|select(.name=="03_uploaded.obj")|.sha256')"
same it_has_the_height_ordered 80 "$(item '.model.report.output.size_mm[2]|round')"
same and_no_photo 0 "$(item '.photos|length')"
same the_same_request_is_the_same_order "$order" "$(send c1 "$(own own-model)" -F "model=@$work/box.obj" | head -n -1 | jq -r .id)"
prepared() { get "/v1/files/$(item ".artifacts[]|select(.name==\"05_prepared.$1\")|.sha256")"; }
prepared 3mf >"$work/own.3mf"; prepared stl >"$work/own.stl"
get "/v1/files/$(item '.artifacts[]|select(.name=="05_preview.glb")|.sha256')" >"$work/own.glb"
first=$order
for kind in 3mf stl glb; do
    order=$(send "k$kind" "$(own own-model)" -F "model=@$work/own.$kind" | head -n -1 | jq -r .id)
    check "a_${kind}_reaches_review" wait_state "$order" review 60
    same "a_${kind}_is_known_for_one" "$kind" "$(item .options.model.format)"
    same "a_${kind}_becomes_a_model" 80 "$(item '.model.report.output.size_mm[2]|round')"
done
order=$first
check it_can_be_passed "$program" review pass "$(item .id)"
check and_goes_to_the_slicer wait_state "$order" queued 120

head -c 3000 "$sample" >"$work/photo.jpg"
printf 'glTF\2\0\0\0\144\0\0\0' >"$work/half.glb"
refused a_photo_is_no_model model_unknown "$(send c2 "$(own own-model)" -F "model=@$work/photo.jpg")"
refused nor_is_half_a_file model_truncated "$(send c3 "$(own own-model)" -F "model=@$work/half.glb")"
refused nor_is_nothing model_empty "$(send c4 "$(own own-model)" -F "model=@/dev/null;filename=x")"
refused a_model_must_come model_missing "$(send c5 "$(own own-model)")"
refused and_be_wanted option_out_of_range "$(send c6 "$(own figure-80 ',"photos":["photo1"]')" -F "photo1=@$sample" -F "model=@$work/box.obj")"
same a_key_of_a_refusal_is_free 201 "$(send c2 "$(own own-model)" -F "model=@$work/box.obj" | tail -1)"
check the_program_sends_one_too "$program" order add --template own-model --model "$work/box.obj"

# ---- the shop's, in review ----
order=$(post_order "$sample" s1 "$(order_json figure-80 1)" | head -n -1 | jq -r .id)
check a_made_one_reaches_review wait_state "$order" review 120
enter() { # KEY FILE: the status, then the code or the state
    curl -s -m 60 -w '\n%{http_code}' -H "Idempotency-Key: $1" -F "model=@$2" "$url/v1/items/$(item .id)/model" |
        (read -r body; read -r status; echo "$status $(jq -r '.code // .state' <<<"$body")")
}
same another_takes_its_place "201 inspecting" "$(enter m1 "$work/other.obj")"
second() { [ "$(item .state)" = review ] && [ "$(item .model.number)" = 2 ]; }
check and_is_prepared wait_for 60 second
same of_the_file_that_was_sent "$(sha256sum <"$work/other.obj" | cut -d' ' -f1)" "$(item .model.source_hash)"
matches the_same_key_enters_it_once '^201 ' "$(enter m1 "$work/other.obj")"
same so_there_is_one_task_of_it 1 "$(item '.tasks|map(select(.provider=="upload"))|length')"
same the_same_key_takes_no_other "422 idempotency_key_reused" "$(enter m1 "$work/third.obj")"
same a_photo_is_not_taken "422 model_unknown" "$(enter m2 "$work/photo.jpg")"
check the_program_enters_one "$program" order model "$(item .id)" "$work/third.obj"
third() { [ "$(item .state)" = review ] && [ "$(item .model.number)" = 3 ]; }
check which_is_prepared_too wait_for 60 third
same by_its_own_name 03_uploaded__002.obj "$(item '.artifacts[]|select(.sha256=="'"$(sha256sum <"$work/third.obj" | cut -d' ' -f1)"'")|.name')"
check a_person_passes_it "$program" review pass "$(item .id)"
same then_none_is_taken "409 model_not_due" "$(enter m3 "$work/box.obj")"
same nor_for_an_item_that_is_not_there 404 "$(curl -s -o /dev/null -w '%{http_code}' -H 'Idempotency-Key: m4' -F "model=@$work/box.obj" "$url/v1/items/itm_none/model")"

# ---- the shop's, while one is waited for ----
order=$(post_order "$sample" g1 "$(order_json remote 1)" | head -n -1 | jq -r .id)
check one_waits_for_its_provider wait_state "$order" generating 60
waits() { [ "$(item '.tasks[0].attempts')" -ge 1 ] && [ "$(item '.tasks[0].state')" = created ]; }
check which_is_away wait_for 30 waits
same an_own_one_goes_before_it "201 inspecting" "$(enter g2 "$work/box.obj")"
check and_reaches_review wait_state "$order" review 60
same the_other_is_not_asked_for_any_more cancelled "$(item '.tasks[0].state')"

# ---- words alone ----
order=$(send w1 "$(own figure-of-words ',"object":"a fox"')" | head -n -1 | jq -r .id)
check words_need_no_photo wait_state "$order" review 60
matches but_somebody_who_reads_them '^provider_(off|not_allowed)$' "$(item .problem.code)"
refused and_something_to_read object_missing "$(send w2 "$(own figure-of-words)")"
reword() { # JSON: the status of a revision with these options
    curl -s -o /dev/null -m 20 -w '%{http_code}' -H "If-Match: \"$(item .version)\"" -H 'Content-Type: application/json' \
        -d '{"decision":"revise","reason":"other words","regenerate":true,"options":'"$1"'}' "$url/v1/items/$(item .id)/review"
}
same words_can_be_too_many 422 "$(reword '{"object":""}')"
same a_person_may_change_them 200 "$(reword '{"object":"a wolf"}')"
check they_are_kept wait_for 10 test "$(item .options.object)" = 'a wolf'
