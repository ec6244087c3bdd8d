#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A large upload goes to disk as it comes: the service's memory stays flat, taken or refused, one or two at once; and what is
# announced as too large is refused before it is read.
. "$(dirname "$0")/lib.sh"
[ -r /proc/self/status ] || { skip memory_stays_flat "needs /proc"; exit 0; }
pg_start || { not_ok postgres_starts; exit; }
"$program" migrate >/dev/null || { not_ok migrates; exit; }
export STATUETTE_UPLOAD_MB=300
start_service serve || exit
peak() { sed -n 's/^VmHWM:\s*\([0-9]*\) kB/\1/p' "/proc/$service_pid/status"; } # kilobytes
forget_peak() { echo 5 >"/proc/$service_pid/clear_refs" 2>/dev/null; }
left_over() { find "$work/var/work" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l; }

# A real picture with 33 MB of what some cameras append: within the cap of a photo, and it stays a picture.
head -c 33000000 /dev/urandom >"$work/tail"
for n in 1 2 3; do { cat "$sample"; echo "$n"; cat "$work/tail"; } >"$work/photo$n.jpg"; done
{ cat "$sample" "$work/tail"; head -c 15000000 /dev/zero; } >"$work/over.jpg"
three='{"items":[{"template":"figure-80","photos":["photo1","photo2","photo3"]}],"consent":{"text_version":"v1","given_at":"2026-01-01T00:00:00Z","photo_class":"object"}}'
send_three() { # KEY
    curl -s -m 60 -o "$work/answer-$1" -w '%{http_code}' -H "Idempotency-Key: $1" -F "order=$three;type=application/json" \
        -F "photo1=@$work/photo1.jpg" -F "photo2=@$work/photo2.jpg" -F "photo3=@$work/photo3.jpg" "$url/v1/orders"
}
grown() { echo $((($(peak) - before) / 1024)); } # megabytes
flat() { echo "grew by $(grown) MB"; [ "$(grown)" -lt 30 ]; }

post_order "$sample" small "$(order_json figure-80 1)" >/dev/null # what any first order needs
forget_peak; before=$(peak)
check the_peak_can_be_read test "${before:-0}" -gt 1000
same a_hundred_megabytes_are_taken 201 "$(send_three large)"
check memory_stays_flat flat
echo "# 99 MB taken: $(grown) MB more than $((before / 1024))"

same a_photo_over_its_cap_is_refused "413 photo_too_large" "$(post_order "$work/over.jpg" over "$(order_json figure-80 1)" | python3 -c 'import json,sys; a=sys.stdin.read().rsplit("\n",1); print(a[1], json.loads(a[0])["code"])')"
check memory_stays_flat_when_it_refuses flat

codes=()
for n in 1 2; do send_three "at-once-$n" >"$work/code-$n" & codes+=($!); done
wait "${codes[@]}"
for n in 1 2; do matches "of_two_at_once_number_${n}_is_answered" '^(201|429|503)$' "$(cat "$work/code-$n")"; done
check two_at_once_stay_flat_too flat
echo "# two of 99 MB at once: $(grown) MB more"

# announced: refused at the door, with hardly a byte taken from the sender
announced=$(python3 - "${url##*:}" <<'P'
import socket, sys
s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); s.settimeout(10)
s.sendall(b'POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nIdempotency-Key: two-gb\r\nExpect: 100-continue\r\n'
          b'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 2147483648\r\n\r\n')
answer = s.recv(4096).decode('latin-1').split('\r\n')[0]
print(answer)
P
)
matches two_gigabytes_are_refused_unread '^HTTP/1.1 413' "$announced"
same nothing_is_left_in_the_work_folder 0 "$(left_over)"
same the_service_goes_on 200 "$(curl -s -o /dev/null -w '%{http_code}' "$url/readyz")"
