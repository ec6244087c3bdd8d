#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The console in a real browser: an order that comes in appears by itself, with its pictures; a click passes it.
. "$(dirname "$0")/lib.sh"
command -v chromium >/dev/null || { skip console_shows_orders "chromium is not installed"; exit 0; }
start_service up || exit
order=$(post_order "$sample" c1 "$(order_json figure-80 1)" | head -n -1 | jq -r .id)
number=$(get "/v1/orders/$order" | jq -r .number)
see() { timeout 100 python3 "$here/browser.py" "$work/chromium" "$url/" "$@"; }
check an_order_appears_and_its_pictures_load see "wait=document.body.innerText.includes('#$number')" \
    "wait=[...document.images].filter(i=>i.src.includes('/v1/files/')&&i.complete&&i.naturalWidth>0).length>=3"
wait_state "$order" review 60 >/dev/null
check a_click_passes_it see "wait=[...document.querySelectorAll('button')].some(b=>b.textContent.trim()=='Pass')" \
    "do=[...document.querySelectorAll('button')].find(b=>b.textContent.trim()=='Pass').click()" \
    "wait=!document.body.innerText.includes('checks say pass')"
check and_the_order_goes_on wait_state "$order" queued 120
same the_review_is_on_record pass "$(get "/v1/orders/$order" | jq -r '.items[0].reviews[0].decision')"
