#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Outside providers, simulated, with real processes: an order's photo goes out and a model comes back the whole way to review, by
# polls and by pushes; what is pushed twice, out of order or with a forged signature changes nothing.
. "$(dirname "$0")/lib.sh"
cp -r "$root/config" "$work/config"
providers='tripo meshy replicate fal 3daistudio rodin stability'
pace() { # PROVIDER POLL_S: quick submits, and that many seconds between two polls
    jq ".pace={submits_per_min:600,burst:10,poll_s:$2,poll_most_s:$2,deadline_s:600}" "$root/config/providers/$1.json" \
        >"$work/config/providers/$1.json"
}
for p in $providers; do
    jq --arg p "$p" '.id="by-"+$p|.provider.route=[$p]' "$root/config/templates/figure-80.json" >"$work/config/templates/by-$p.json"
    pace "$p" 1
done
chmod -R a+rX "$work/config"
export STATUETTE_CONFIG=$work/config STATUETTE_LEASE_S=3
secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY

sim_pid=
start_sim() { # OPTIONS..: sets the addresses of all providers
    printf '{"queue_s":[0.2,0.5],"run_s":[0.5,1.5],"providers":{"tripo":{"secret":"%s"},"meshy":{"secret":"%s"}}}' $secret $secret >"$work/scenario.json"
    : >"$work/sim.out"
    "$build/tests/sim/provider_sim" --scenario "$work/scenario.json" --push "$url/v1/webhooks" "$@" >"$work/sim.out" 2>&1 &
    sim_pid=$!; pids+=($!)
    wait_for 10 grep -q '^port' "$work/sim.out" || { not_ok simulator_starts "$(cat "$work/sim.out")"; return 1; }
    sim=http://127.0.0.1:$(sed -n 's/^port //p' "$work/sim.out")
    local p name
    for p in $providers; do
        name=STATUETTE_${p^^}
        export "${name}_URL=$sim/$p" "${name}_UPLOAD_URL=$sim/$p" "${name}_KEY=tsk_flow"
    done
}
stop_sim() { kill "$sim_pid" 2>/dev/null; wait "$sim_pid" 2>/dev/null; }
state() { curl -s -m 10 "$sim/sim/state"; }
worker=
start_worker() { "$program" work --kinds photo_check,generate,gather,inspect,prepare >>"$work/worker.log" 2>&1 & worker=$!; pids+=($!); disown; }
kill_worker() { kill -9 "$worker"; wait_for 5 bash -c "! kill -0 $worker"; }
restart() { # the service and the worker read the addresses when they start
    kill "$service_pid"; wait "$service_pid" 2>/dev/null
    STATUETTE_LISTEN=127.0.0.1:${url##*:} "$program" serve >>"$work/serve.log" 2>&1 &
    service_pid=$!; pids+=($!)
    wait_for 20 curl -sf "$url/healthz"
    [ -z "$worker" ] || kill_worker
    start_worker
}
number=0
place() { # PROVIDER: sets order
    number=$((number + 1))
    order=$(post_order "$sample" "p$number" "$(order_json "by-$1" 1)" | head -n -1 | jq -r .id)
}
item() { get "/v1/orders/$order" | jq -r ".items[0]$1"; }
bills() { # PROVIDER: what it bills, and what the ledger has
    local bill ledger
    bill=$(state | jq -r ".providers[\"$1\"].bill")
    ledger=$(sql "select coalesce(sum(credits), 0)::float8 from ledger where provider = '$1'")
    echo "$bill $ledger"
}
bill_is_ledger() { read -r bill ledger <<<"$(bills "$1")"; same "the_ledger_is_the_bill_of_$2" "$bill" "$ledger"; }

pg_start || { not_ok postgres_starts; exit; }
"$program" migrate >/dev/null || { not_ok migrates; exit; }
export STATUETTE_TRIPO_SECRET=$secret STATUETTE_MESHY_SECRET=$secret
start_service serve || exit
export STATUETTE_PUBLIC_URL=$url

# ---- every one of them, by polls and pushes as they come ----
start_sim && restart
declare -A orders=()
for p in $providers; do place "$p"; orders[$p]=$order; done
for p in $providers; do
    order=${orders[$p]}
    check "an_order_goes_the_whole_way_with_$p" wait_state "$order" review 90
    same "and_a_model_came_from_$p" succeeded "$(item .tasks[-1].state)"
    bill_is_ledger "$p" "$p"
done
same nothing_was_made_twice 0 "$(state | jq '[.providers[].made_twice|length]|add')"
matches the_model_has_the_ordered_height '^80$' "$(item '.model.report.output.size_mm[2]|round')"
stop_sim

# ---- a push brings what a poll would bring much later ----
for p in tripo meshy replicate fal; do pace "$p" 120; done
start_sim && restart
for p in tripo meshy replicate fal; do place "$p"; orders[$p]=$order; done
for p in tripo meshy replicate fal; do check "a_push_of_${p}_is_enough" wait_state "${orders[$p]}" review 60; done
stop_sim

# ---- twice, in the wrong order, forged ----
for p in tripo meshy replicate fal; do pace "$p" 2; done
start_sim --fault '{"fault":"push_twice","first":9}' --fault '{"fault":"push_disordered","first":9}' && restart
for p in tripo meshy replicate; do place "$p"; orders[$p]=$order; done
for p in tripo meshy replicate; do
    check "pushes_of_${p}_twice_and_disordered_do_no_harm" wait_state "${orders[$p]}" review 60
    same "one_task_of_$p" 1 "$(get "/v1/orders/${orders[$p]}" | jq '.items[0].tasks|length')"
done
stop_sim
start_sim --fault '{"fault":"push_forged","first":9}' && restart
for p in tripo replicate fal; do place "$p"; orders[$p]=$order; done
for p in tripo replicate fal; do check "a_forged_push_of_${p}_does_no_harm" wait_state "${orders[$p]}" review 60; done
check and_is_refused test "$(state | jq .push_failures)" -ge 3
stop_sim

# ---- the answer to a submit is lost; a push that carries our token says which task it was ----
start_sim --fault '{"fault":"answer_lost","on":"submit","first":1,"provider":"fal"}' && restart
place fal
task_is() { [ "$(item .tasks[-1].state)" = "$1" ]; }
check a_push_finds_the_task_whose_answer_was_lost wait_for 60 task_is succeeded
same it_was_sent_once 1 "$(state | jq .providers.fal.submits)"
stop_sim
