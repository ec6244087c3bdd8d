#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the processes say on stderr: one JSON object a line, whatever goes wrong, and nothing of the customer in it: no name of
# a photo, no name or address from the order, no notes, no key.
. "$(dirname "$0")/lib.sh"
export STATUETTE_LOG=debug STATUETTE_API_KEY=key-of-the-shop-4711 STATUETTE_LEASE_S=3
pg_start || { not_ok postgres_starts; exit; }
"$program" migrate >/dev/null 2>&1 || { not_ok migrates; exit; }
STATUETTE_LISTEN=127.0.0.1:0 "$program" serve >"$work/serve.out" 2>"$work/serve.err" &
pids+=($!)
"$program" work >"$work/work.out" 2>"$work/work.err" &
pids+=($!)
wait_for 20 grep -q 'serves at port' "$work/serve.out" || { not_ok service_starts "$(cat "$work/serve.err")"; exit; }
url=http://127.0.0.1:$(grep -oE '[0-9]+$' "$work/serve.out")
get() { curl -s -m 30 -H "Authorization: Bearer $STATUETTE_API_KEY" "$url$1"; }
send() { # KEY FILE JSON: prints the answer and its status
    curl -s -m 60 -w '\n%{http_code}' -H "Authorization: Bearer $STATUETTE_API_KEY" -H "Idempotency-Key: $1" \
        -F "order=$3;type=application/json" -F "photo1=@$2" "$url/v1/orders"
}
personal='{"external_id":"shop-0815","contact":{"name":"Wilhelmine Q. Testperson","email":"wilhelmine@kundin.example"},"notes":"our late cat Purzelchen","items":[{"template":"demo","name":"Purzelchen","notes":"left ear bent","photos":["photo1"]}],"consent":{"text_version":"v1","given_at":"2026-01-01T00:00:00Z","photo_class":"pet"}}'
photo=$work/purzel_1999_holiday.jpg
cp "$sample" "$photo"
head -c 9000 "$sample" >"$work/purzel_cut_holiday.jpg"

# ---- a good order, and what goes wrong with others ----
order=$(send k1 "$photo" "$personal" | head -n -1 | jq -r .id)
same a_cut_photo_is_refused 422 "$(send k2 "$work/purzel_cut_holiday.jpg" "${personal/shop-0815/shop-0816}" | tail -1)"
same broken_json_is_refused 422 "$(send k3 "$photo" '{"contact":{"email":"wilhelmine@kundin.example"' | tail -1)"
same an_unknown_template_is_refused 422 "$(send k4 "$photo" "${personal/\"demo\"/\"Wilhelmine\"}" | tail -1)"
same the_external_id_twice_is_refused 409 "$(send k5 "$photo" "$personal" | tail -1)"
same a_wrong_key_is_refused 401 "$(curl -s -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer wrong-key-0042' "$url/v1/orders")"
get "/v1/orders/wilhelmine@kundin.example" >/dev/null
get "/v1/orders?cursor=wilhelmine%40kundin.example" >/dev/null
check the_order_goes_on wait_state "$order" queued 90
# a database that goes and comes: both say so
as_pg "$pg_bin/pg_ctl" -D "$work/pg/data" -s -m immediate stop
check away_is_told wait_for 20 grep -q '"level":"warn"' "$work/work.err"
curl -s -o /dev/null -m 10 -H "Authorization: Bearer $STATUETTE_API_KEY" "$url/v1/orders"
send k6 "$photo" "${personal/shop-0815/shop-0817}" >/dev/null
pg_start
back() { [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/readyz")" = 200 ]; }
check and_it_goes_on wait_for 30 back

# ---- each line ----
for log in serve work; do
    file=$work/$log.err
    check "${log}_says_something" test "$(wc -l <"$file")" -ge 3
    bad=0
    while IFS= read -r line; do
        jq -e 'type=="object" and (.time|type)=="string" and (.level|IN("debug","info","warn","error")) and (.event|length)>0' <<<"$line" >/dev/null 2>&1 || { bad=$((bad + 1)); echo "# $line"; }
    done <"$file"
    same "${log}_every_line_is_an_event_in_json" 0 "$bad"
    same "${log}_names_no_photo" 0 "$(grep -ciE 'purzel_|holiday' "$file")"
    same "${log}_names_no_customer" 0 "$(grep -ciE 'wilhelmine|kundin|testperson' "$file")"
    same "${log}_tells_no_notes" 0 "$(grep -ciE 'purzelchen|left ear' "$file")"
    same "${log}_tells_no_key" 0 "$(grep -ciE '4711|0042|bearer' "$file")"
done
same the_order_itself_knows_its_customer wilhelmine@kundin.example "$(get "/v1/orders/$order" | jq -r .contact.email)"
