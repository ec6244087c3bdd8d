#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The demo with its model from a provider: its simulator is started beside it, or is what the settings name; no account outside
# is ever asked because a key happens to be set.
. "$(dirname "$0")/lib.sh"
export STATUETTE_LISTEN=127.0.0.1:0

run_demo() { NO_COLOR=1 timeout 150 "$program" up --demo "$@" >"$work/demo.out" 2>"$work/demo.err"; }
exchange() { cat "$work"/var/demo/*/02_"$1".task.json; }

if STATUETTE_TRIPO_KEY=tsk_of_a_real_account PROVIDER=tripo run_demo; then ok the_whole_way_on_a_provider; else not_ok the_whole_way_on_a_provider "$(tail -c 400 "$work/demo.err")"; fi
check its_model_came_from_there test -s "$(ls "$work"/var/demo/*/03_generated.glb)"
same it_is_the_one_that_the_exchange_names "$(sha256sum <"$(ls "$work"/var/demo/*/03_generated.glb)" | cut -d' ' -f1)" "$(exchange tripo | jq -r .result.sha256)"
same nothing_went_to_the_real_one "" "$(exchange tripo | grep -o '"https\?://[^"/]*' | grep -v '"http://127.0.0.1:' | sort -u)"
check leaves_no_simulator_behind bash -c "! pgrep -f '^$build/tests/sim/provider_sim --port 0 --slow' -P 1"

"$build/tests/sim/provider_sim" --port 0 --provider meshy >"$work/sim.out" &
pids+=($!)
wait_for 10 grep -q '^port' "$work/sim.out" || not_ok simulator_starts
port=$(sed -n 's/^port //p' "$work/sim.out")
if STATUETTE_MESHY_URL=http://127.0.0.1:$port STATUETTE_MESHY_KEY=msy_x run_demo --provider meshy; then ok the_settings_may_name_another; else not_ok the_settings_may_name_another "$(tail -c 400 "$work/demo.err")"; fi
same which_was_asked_once 1 "$(curl -s -m 10 "http://127.0.0.1:$port/sim/state" | jq '.providers.meshy.tasks|length')"

run_demo --provider nobody
same an_unknown_one_is_said 2 $?
