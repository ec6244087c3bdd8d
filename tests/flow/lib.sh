# SPDX-License-Identifier: GPL-3.0-or-later
# What the flow tests share: real processes, real Postgres, real HTTP. Sourced, not run.
# A test says: begin; ...; check "plain_sentence" command...; end happens by itself.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
name=$(basename "$0" .sh)
program=${STATUETTE_PROGRAM:-$root/build/statuette}
build=${STATUETTE_BUILD:-$root/build/obj-release}
shared=${STATUETTE_SHARED:-$root/../shared}
sample=$root/config/samples/dog.jpg
pids=()
work=$(mktemp -d /tmp/statuette-flow-XXXXXX)
chmod 755 "$work" # the private Postgres runs as a user of its own
export STATUETTE_VAR=$work/var STATUETTE_LOG=${STATUETTE_LOG:-info}
unset STATUETTE_DATABASE STATUETTE_URL STATUETTE_API_KEY DEMO_KEEP PHOTO PROVIDER SCENARIO
failed=0

ok() { echo "ok ${name}__$1"; }
not_ok() { echo "not ok ${name}__$1: ${*:2}"; failed=1; }
skip() { echo "skip ${name}__$1: ${*:2}"; }
# check NAME COMMAND..: the command must succeed
check() { local n=$1; shift; local out; if out=$("$@" 2>&1); then ok "$n"; else not_ok "$n" "$* -> ${out:0:300}"; fi; }
# same NAME WANTED GOT
same() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "wanted '$2', got '${3:0:300}'"; fi; }
# matches NAME REGEX TEXT
matches() { if grep -qE "$2" <<<"$3"; then ok "$1"; else not_ok "$1" "wanted /$2/ in '${3:0:300}'"; fi; }

before_removal() { :; } # a test that mounted something says how to take it away
cleanup() {
    local p
    for p in "${pids[@]}"; do kill -TERM "$p" 2>/dev/null; done
    for p in "${pids[@]}"; do wait "$p" 2>/dev/null; done
    pg_stop
    before_removal
    if [ $failed -ne 0 ] && [ -n "${STATUETTE_KEEP_FAILED:-}" ]; then echo "# kept $work"; else rm -rf "$work"; fi
}
trap 'cleanup; exit $failed' EXIT

# ---- a Postgres of the test's own, for tests with several processes ----
pg_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
as_pg() { if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
pg_start() {
    mkdir -p "$work/pg"; [ "$(id -u)" -ne 0 ] || chown postgres "$work/pg"
    [ -e "$work/pg/data/PG_VERSION" ] || as_pg "$pg_bin/initdb" -D "$work/pg/data" -A trust -U statuette >/dev/null || return 1
    as_pg "$pg_bin/pg_ctl" -D "$work/pg/data" -w -s -l "$work/pg/log" -o "-k $work/pg -h ''" start || return 1
    as_pg "$pg_bin/psql" -qX -h "$work/pg" -U statuette -d postgres -c 'create database statuette' 2>/dev/null
    export STATUETTE_DATABASE="host=$work/pg user=statuette dbname=statuette"
}
pg_stop() { [ -e "$work/pg/data/postmaster.pid" ] && as_pg "$pg_bin/pg_ctl" -D "$work/pg/data" -s -m immediate stop; return 0; }
sql() { "$pg_bin/psql" -qXAt "$STATUETTE_DATABASE" -c "$1"; }

# ---- processes ----
wait_for() { # SECONDS COMMAND..
    local until=$((SECONDS + $1)); shift
    while ! "$@" >/dev/null 2>&1; do [ $SECONDS -lt $until ] || return 1; sleep 0.1; done
}
start_service() { # up|serve: sets url
    local log=$work/$1.log
    STATUETTE_LISTEN=127.0.0.1:0 "$program" "$1" >"$log" 2>&1 &
    pids+=($!); service_pid=$!
    wait_for 60 grep -qE 'statuette (is up at|serves at port)' "$log" || { not_ok service_starts "$(tail -c 400 "$log")"; return 1; }
    local port; port=$(grep -oE '(127.0.0.1:|serves at port )[0-9]+' "$log" | grep -oE '[0-9]+$' | tail -1)
    url=http://127.0.0.1:$port
    export STATUETTE_URL=$url
}
start_printer() { # ID OPTIONS..: a virtual printer; sets sim_url
    local id=$1 log=$work/sim-$1.log; shift
    "$build/tests/sim/printer_sim" --port 0 --key secret "$@" >"$log" 2>&1 &
    pids+=($!); sim_pid=$!
    wait_for 10 grep -q '^listening' "$log" || { not_ok printer_starts "$(cat "$log")"; return 1; }
    sim_url=http://127.0.0.1:$(sed -n 's/^listening //p' "$log" | head -1)
    "$program" printer add "$id" --driver virtual --url "$sim_url" --api-key secret >/dev/null
}
clear_bed() { wait_for 20 "$program" printer clear "$1"; }

# ---- orders ----
order_json() { # TEMPLATE QUANTITY
    printf '{"items":[{"template":"%s","quantity":%d,"photos":["photo1"]}],"consent":{"text_version":"v1","given_at":"2026-01-01T00:00:00Z","photo_class":"object"}}' "$1" "$2"
}
post_order() { # PHOTO KEY JSON: prints the answer, then the status on a line of its own
    curl -s -m 120 -w '\n%{http_code}' -H "Idempotency-Key: $2" -F "order=$3;type=application/json" -F "photo1=@$1" "$url/v1/orders"
}
get() { curl -s -m 30 "$url$1"; }
item_state() { get "/v1/orders/$1" | jq -r '.items[0].state'; }
state_is() { [ "$(item_state "$1")" = "$2" ]; }
wait_state() { # ORDER STATE SECONDS
    wait_for "$3" state_is "$1" "$2" || { get "/v1/orders/$1" | jq -c '[.items[]|{state,problem}]'; return 1; }
}

# Files that a virtual printer was told to start more than once: a number, or what it answered instead.
started_twice() { # URL
    local a; a=$(curl -s -m 20 -H 'X-Api-Key: secret' "$1/sim/stats")
    jq -e '[.starts[]|select(.>1)]|length' <<<"$a" 2>/dev/null || echo "no answer: $a"
}
