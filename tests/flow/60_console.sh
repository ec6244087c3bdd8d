#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The console in a real browser: it loads without errors and shows an order that comes in.
. "$(dirname "$0")/lib.sh"
command -v chromium >/dev/null || { skip console_shows_orders "chromium is not installed"; exit 0; }
start_service up || exit
order=$(post_order "$sample" c1 "$(order_json figure-80 1)" | head -n -1 | jq -r .id)
wait_state "$order" review 120 >/dev/null
number=$(get "/v1/orders/$order" | jq -r .number)
chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --user-data-dir="$work/chromium" --virtual-time-budget=4000 --timeout=20000 \
    --dump-dom "$url/?still" >"$work/dom.html" 2>"$work/chromium.err"
check console_shows_the_order grep -q "$number" "$work/dom.html"
check console_offers_the_review grep -qi '>pass' "$work/dom.html"
check console_shows_a_rendered_picture grep -qE '<img[^>]+/v1/files/[0-9a-f]{64}' "$work/dom.html"
check console_has_no_script_error bash -c "! grep -qiE 'CONSOLE.*(error|uncaught)' '$work/chromium.err'"
