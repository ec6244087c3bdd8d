#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Providers by the command line: how they stand, the probe that costs nothing, the ledger, a lost task that a person resolves,
# and the daily canary with the built-in maker, which needs no network.
. "$(dirname "$0")/lib.sh"
export STATUETTE_URL=http://127.0.0.1:1 NO_COLOR=1
unset "${!STATUETTE_TRIPO_@}" "${!STATUETTE_STABILITY_@}"

# ---- nothing runs ----
matches without_a_service_the_settings_are_shown '^relief +ready' "$("$program" provider list 2>/dev/null)"
matches and_what_is_missing 'set STATUETTE_TRIPO_KEY' "$("$program" provider list 2>/dev/null)"
"$program" provider test tripo >/dev/null 2>&1; same a_provider_that_is_off_is_not_found 3 $?
"$program" provider canary tripo >/dev/null 2>&1; same nor_tested_daily 3 $?
STATUETTE_TRIPO_KEY='tsk_with a blank' "$program" provider test tripo >/dev/null 2>&1; same a_key_with_a_blank_is_found_out 5 $?
export STATUETTE_TRIPO_KEY=tsk_0123456789 STATUETTE_TRIPO_URL=http://127.0.0.1:1
"$program" provider test tripo >/dev/null 2>&1; same an_address_without_an_answer_is_upstream 6 $?

# ---- a provider's account that answers as it is told to ----
cat >"$work/account.py" <<'PY'
import http.server, json, sys, time
from email.utils import formatdate
class Account(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        word = open(sys.argv[1]).read().strip()
        status = 401 if word == "refused" else 200
        said = {"code": 1001, "message": "no such key"} if status == 401 else {"code": 0, "data": {"balance": 123.5, "frozen": 6}}
        body = json.dumps(said).encode()
        self.send_response_only(status)
        self.send_header("Date", formatdate(time.time() - (600 if word == "late" else 0), usegmt=True))
        self.send_header("Content-Type", "application/json"); self.send_header("Content-Length", str(len(body)))
        self.end_headers(); self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Account)
print(server.server_port, flush=True); server.serve_forever()
PY
echo fine >"$work/word"
python3 "$work/account.py" "$work/word" >"$work/account.port" & pids+=($!)
wait_for 10 test -s "$work/account.port"
export STATUETTE_TRIPO_URL=http://127.0.0.1:$(cat "$work/account.port")
told=$("$program" provider test tripo); same a_good_account_is_usable 0 $?
matches its_balance_is_told 'balance +ok +123.5 credit, 6 more' "$told"
matches http_is_warned_of 'tls +warn' "$told"
check as_json bash -c "'$program' provider test tripo --json | jq -e '.usable and .cost == 0 and .balance == 123.5'"
echo late >"$work/word"; matches a_wrong_clock_is_warned_of 'clock +warn +ours is (599|60[01]) s ahead' "$("$program" provider test tripo)"
echo refused >"$work/word"; told=$("$program" provider test tripo 2>/dev/null); same a_refused_key_is_upstream 6 $?
matches and_says_so 'key +failed +auth' "$told"
echo fine >"$work/word"

# ---- with the service ----
pg_start || { not_ok postgres_starts; exit; }
"$program" migrate >/dev/null || { not_ok migrates; exit; }
check the_balance_is_kept "$program" provider test tripo
same in_the_database 123.500 "$(sql "select balance from providers where id = 'tripo'")"
start_service serve || exit
"$program" work --kinds photo_check,generate,gather,inspect,prepare >"$work/worker.log" 2>&1 & pids+=($!)
matches the_list_has_a_balance 'tripo +ready .* 124 ' "$("$program" provider list)"

# ---- a lost task ----
order=$(post_order "$sample" lost "$(order_json figure-80 1)" | head -n -1 | jq -r .id)
check an_order_comes_to_review wait_state "$order" review 60
item=$(get "/v1/orders/$order" | jq -r '.items[0].id')
lose() { # ID: a task of that item whose answer never came
    sql "insert into tasks (id, item_id, round, candidate, provider, seed, spec, price)
         values ('$1', '$item', 1, 1, 'tripo', 1, '{}', 30);
         select flow_move('task', '$1', 'task.claimed', 'x'), ledger_add('$1', 'reserve', 30), flow_move('task', '$1', 'task.in_doubt', 'x'),
                flow_move('task', '$1', 'task.lost', 'x');" >/dev/null
}
lose gen_lost1
matches the_list_shows_it '1 lost' "$("$program" provider list)"
"$program" provider resolve gen_lost1 >/dev/null 2>&1; same resolving_needs_a_word 2 $?
matches the_ledger_holds_it 'tripo +30.00 credit +=.*30.00 of it held' "$("$program" provider ledger --item "$item")"
matches what_was_not_made_fails 'gen_lost1 is now failed' "$("$program" provider resolve gen_lost1 --not-made --reason 'not in the list')"
matches and_costs_nothing 'in all 0.00' "$("$program" provider ledger --item "$item")"
"$program" provider resolve gen_lost1 --not-made >/dev/null 2>&1; same once_only 4 $?
lose gen_lost2
check what_was_found_goes_on "$program" provider resolve gen_lost2 --found a6f1c2d4-77aa --reason 'in the list'
same under_its_number 'a6f1c2d4-77aa' "$(sql "select provider_task from tasks where id = 'gen_lost2'")"
same by_whom 'in the list' "$(sql "select reason from events where subject = 'gen_lost2' and event = 'task.found'")"
"$program" provider ledger --day yesterday >/dev/null 2>&1; same a_day_is_a_date 5 $?

# ---- the canary ----
matches it_is_not_for_sale 'unknown_template' "$(post_order "$sample" canary "$(order_json canary 1)")"
same nor_listed 0 "$(get /v1/templates | jq '[.templates[]|select(.id=="canary")]|length')"
told=$("$program" provider canary relief --wait 60); same the_canary_lives 0 $?
matches it_was_measured 'points +[0-9]' "$told"
same its_order_is_called_off cancelled "$(sql "select stage from orders where external_id like 'canary-%-relief'")"
matches the_same_day_it_is_the_same 'measured before' "$("$program" provider canary relief --wait 60)"
same one_order_was_made 1 "$(sql "select count(*) from orders where external_id like 'canary-%'")"
# a week in which its models were much better
sql "update orders set external_id = 'earlier' where external_id like 'canary-%';
     insert into canaries (order_id, provider, made, measures)
     select 'ord_' || n, 'relief', true, '{\"points\": 99999, \"credits\": 0}' from generate_series(1, 5) n" >/dev/null
told=$("$program" provider canary relief --wait 60 2>"$work/canary.err"); same a_worse_model_is_an_alarm 5 $?
matches the_measure_is_named '! points is' "$told"
matches the_alarm_is_logged '"event":"canary_moved"' "$(cat "$work/canary.err")"
same the_item_waits_for_a_person 'review canary_moved' "$(sql "select i.state || ' ' || (i.problem ->> 'code') from items i join orders o on o.id = i.order_id where o.external_id like 'canary-%'")"
same as_an_issue 1 "$(sql "select count(*) from issues where code = 'canary_moved'")"
same and_as_an_event 1 "$(sql "select count(*) from events where event = 'provider.canary_moved'")"
