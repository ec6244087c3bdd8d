#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A model asked of a self-hosted server: a template of one's own names it, its file goes the whole way, and whatever becomes
# of the server or of us, nothing is asked twice by itself: what is in doubt waits for a person.
. "$(dirname "$0")/lib.sh"
cp -r "$root/config" "$work/config"
own_template() { # ID ROUTE: a template like figure-80
    jq --arg id "$1" --argjson route "$2" '.id=$id|.provider.route=$route' "$root/config/templates/figure-80.json" >"$work/config/templates/$1.json"
}
jq ".send_and_poll=true|.pace={deadline_s:1800,poll_s:1,poll_most_s:2}" "$root/config/providers/hunyuan3d2.json" >"$work/config/providers/hunyuan3d2.json"
own_template remote '["hunyuan3d2"]'
own_template remote-or-own '["hunyuan3d2","relief"]'
chmod -R a+rX "$work/config"
export STATUETTE_CONFIG=$work/config STATUETTE_LEASE_S=3

# below the ports that the system hands out by itself: one of those may be taken by somebody while the server is away
maker_port=$((20000 + RANDOM % 10000)) maker_pid=
start_maker() { # OPTIONS..: the server, on the same port each time
    : >"$work/maker.out"
    "$build/tests/sim/provider_sim" --provider hunyuan3d2 --port "$maker_port" "$@" >"$work/maker.out" 2>&1 &
    maker_pid=$!; pids+=($!)
    wait_for 10 grep -q '^port' "$work/maker.out" || { not_ok maker_starts "$(cat "$work/maker.out")"; return 1; }
}
stop_maker() { kill -CONT "$maker_pid" 2>/dev/null; kill "$maker_pid" 2>/dev/null; wait "$maker_pid" 2>/dev/null; }
counts() { curl -s -m 10 "http://127.0.0.1:$maker_port/sim/counts" | jq -r '"asked \(.submits) made \(.made)"'; }
worker=
start_worker() { "$program" work --kinds photo_check,generate,gather,inspect,prepare >>"$work/worker.log" 2>&1 & worker=$!; pids+=($!); disown; }
kill_worker() { kill -9 "$worker"; wait_for 5 bash -c "! kill -0 $worker"; }

number=0
place() { # TEMPLATE CLASS: sets order
    number=$((number + 1))
    order=$(post_order "$sample" "p$number" "$(order_json "$1" 1 | sed "s/\"object\"/\"$2\"/")" | head -n -1 | jq -r .id)
}
item() { get "/v1/orders/$order" | jq -r ".items[0]$1"; }
task() { item ".tasks[-1]$1"; }
task_is() { [ "$(task .state)" = "$1" ]; }
artifact() { get "/v1/files/$(item ".artifacts[]|select(.name==\"$1\")|.sha256")"; }
regenerate() { "$program" review revise "$(item .id)" --regenerate --reason "once more"; }
overdue() { sql "update tasks set sent_at = now() - interval '1 hour' where item_id = '$(item .id)' and state in ('submitted', 'running')"; }

export STATUETTE_HUNYUAN3D2_URL=http://127.0.0.1:$maker_port
pg_start || { not_ok postgres_starts; exit; }
"$program" migrate >/dev/null || { not_ok migrates; exit; }
start_service serve || exit
start_worker

# ---- away; then there, and asked for the file while it is still being written ----
place remote child
away() { [ "$(task .state)" = created ] && [ "$(task .attempts)" -ge 1 ]; }
check a_server_that_is_away_costs_nothing wait_for 20 away
check and_the_item_waits_for_it state_is "$order" generating
start_maker --fault '{"fault":"half_model","first":1,"times":1}'
check it_goes_on_when_the_server_is_there wait_state "$order" review 45
same the_task_has_succeeded succeeded "$(task .state)"
same a_childs_photo_went_to_the_own_server 'asked 1 made 1' "$(counts)"
check half_a_file_was_asked_for_again test "$(curl -s "http://127.0.0.1:$maker_port/sim/counts" | jq .polls)" -ge 2
artifact 03_generated.glb >"$work/made.glb"
same what_came_is_kept_as_it_came glTF "$(head -c 4 "$work/made.glb")"
check and_can_be_measured "$program" mesh inspect "$work/made.glb"
artifact 02_hunyuan3d2.task.json >"$work/task.json"
same the_exchange_names_what_came "$(sha256sum <"$work/made.glb" | cut -d' ' -f1)" "$(jq -r .result.sha256 "$work/task.json")"
matches the_photo_itself_is_left_out '^left out' "$(jq -r .submit.request.body.image "$work/task.json")"
same no_long_text_is_in_it 0 "$(jq '[..|strings|select(length>500)]|length' "$work/task.json")"
same nor_a_key_or_header 0 "$(grep -ciE 'authorization|api.?key|bearer|"headers"' "$work/task.json")"
same a_figure_of_the_ordered_height 80 "$(item '.model.report.output.size_mm[2]|round')"
stop_maker

# ---- a task that the server lost: it says "processing" for ever ----
start_maker --fault '{"fault":"stuck","first":1}'
place remote object
check a_lost_task_is_asked_after wait_for 20 task_is running
overdue
check until_its_deadline wait_state "$order" review 20
same the_problem_has_its_code provider_timeout "$(item .problem.code)"
same the_task_timed_out timed_out "$(task .state)"
same nothing_was_asked_twice 'asked 1 made 1' "$(counts)"
check a_person_asks_anew regenerate
check and_gets_a_model wait_state "$order" review 40
check of_a_second_round wait_for 30 test "$(item .round)" = 2
check made_now task_is succeeded
same with_one_task_more 'asked 2 made 2' "$(counts)"
stop_maker

# ---- a file that is no model, though its length is right ----
head -c 20000 /dev/urandom | python3 -c '
import struct, sys
rest = sys.stdin.buffer.read()
sys.stdout.buffer.write(b"glTF" + struct.pack("<II", 2, 12 + len(rest)) + rest)' >"$work/noise.glb"
start_maker --model "$work/noise.glb"
place remote object
check noise_ends_at_a_person wait_state "$order" review 40
same with_a_typed_problem mesh_truncated "$(item .problem.code)"
same and_no_model null "$(item .model)"
stop_maker

# ---- the answer is lost after the task was made ----
start_maker --fault '{"fault":"answer_lost","first":1}'
place remote object
check a_lost_answer_waits_for_a_person wait_state "$order" review 20
same the_task_is_in_doubt lost "$(task .state)"
same and_says_so generation_in_doubt "$(item .problem.code)"
kill_worker; start_worker
sleep 5
same asked_once_and_never_again 'asked 1 made 1' "$(counts)"
same also_after_a_kill lost "$(task .state)"
stop_maker

# ---- we are killed while the request is out ----
start_maker
kill -STOP "$maker_pid" # takes connections, answers nothing
place remote object
check a_request_is_out wait_for 20 task_is submitting
kill_worker
kill -CONT "$maker_pid"
start_worker
check a_kill_while_it_is_out_leaves_a_doubt wait_state "$order" review 30
same which_a_person_decides lost "$(task .state)"
matches and_it_was_sent_once_at_most '^asked [01] ' "$(counts)"
stop_maker

# ---- no server is set up ----
kill_worker
STATUETTE_HUNYUAN3D2_URL='' start_worker
place remote object
check without_an_address_a_person_is_asked wait_state "$order" review 20
same with_the_reason provider_off "$(item .problem.code)"
place remote-or-own object
made_here() { [ "$(task .provider)" = relief ]; }
check the_next_of_the_route_is_taken wait_for 20 made_here
