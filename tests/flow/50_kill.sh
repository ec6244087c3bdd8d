#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# kill -9 of a worker at random moments while orders are under way: all reach the same end, no run starts twice.
# ORDERS and KILLS make the storm longer (make storm).
. "$(dirname "$0")/lib.sh"
orders=${ORDERS:-4} kills=${KILLS:-4}
pg_start || { not_ok postgres_starts; exit; }
"$program" migrate >/dev/null || { not_ok migrates; exit; }
export STATUETTE_LEASE_S=3
start_service serve || exit
worker=()
start_worker() { "$program" work >>"$work/worker$1.log" 2>&1 & worker[$1]=$!; disown; }
start_worker 0; start_worker 1
start_printer p1 --speed 20000; start_printer p2 --speed 20000
sims=$(sed -n 's/^listening //p' "$work"/sim-p*.log)
ids=()
for i in $(seq "$orders"); do
    ids+=("$(post_order "$sample" "storm-$i" "$(order_json demo 1)" | head -n -1 | jq -r .id)")
done
tend() { # what a person does: beds and verdicts
    local id run
    for id in p1 p2; do "$program" printer clear $id >/dev/null 2>&1; done
    for run in $(get /v1/queue | jq -r '.runs[]|select(.state=="finished")|.id'); do "$program" run good "$run" >/dev/null 2>&1; done
}
ready() { sql "select count(*) from items where state = 'ready'"; }
until=$((SECONDS + ${STORM_S:-300})) killed=0
while [ "$(ready)" -lt "$orders" ] && [ $SECONDS -lt $until ]; do
    tend
    if [ $killed -lt "$kills" ]; then
        sleep "$((RANDOM % 3)).$((RANDOM % 10))"
        n=$((RANDOM % 2)); kill -9 "${worker[$n]}" 2>/dev/null && killed=$((killed + 1)); start_worker $n
    else sleep 0.3; fi
done
kill -9 "${worker[@]}" 2>/dev/null
same "${orders}_orders_reach_the_same_end" "$orders" "$(ready)"
check "after_${kills}_kills" test "$killed" -ge 1
n_sim=0
for port in $sims; do same "no_run_started_twice_on_printer_$((++n_sim))" 0 "$(started_twice "http://127.0.0.1:$port")"; done
same one_good_part_an_item "$orders" "$(sql "select count(*) from runs where verdict = 'good'")"
same no_job_is_left 0 "$(sql "select count(*) from jobs where lease_token is not null and lease_until < now() - interval '1 minute'")"
same nothing_dead 0 "$(sql "select count(*) from job_history where outcome = 'dead'")"
