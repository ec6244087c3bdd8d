#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Bad input over HTTP and on the command line: one clear refusal each, nothing left behind, and the service goes on.
. "$(dirname "$0")/lib.sh"
start_service up || exit

refused() { # NAME STATUS CODE BODY-AND-STATUS
    local status body; status=$(tail -1 <<<"$4"); body=$(head -n -1 <<<"$4")
    same "$1" "$2 $3" "$status $(jq -r .code <<<"$body" 2>/dev/null)"
}
orders() { get '/v1/orders?limit=200' | jq '.orders|length'; }
blobs() { find "$work/var/blobs" -type f | wc -l; }

echo "this is no picture" >"$work/text.jpg"
head -c $(($(stat -c %s "$sample") / 2)) "$sample" >"$work/cut.jpg"
: >"$work/empty.jpg"
python3 - "$work/huge.png" <<'P'
import sys, zlib, struct
def chunk(t, d): return struct.pack('>I', len(d)) + t + d + struct.pack('>I', zlib.crc32(t + d))
rows = zlib.compressobj(9); data = b''.join(rows.compress(b'\0' * 30001) for _ in range(30000)) + rows.flush()
open(sys.argv[1], 'wb').write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 30000, 30000, 8, 0, 0, 0, 0)) + chunk(b'IDAT', data) + chunk(b'IEND', b''))
P
good=$(order_json figure-80 1)
refused text_file_is_refused 422 photo_unknown_format "$(post_order "$work/text.jpg" k1 "$good")"
refused truncated_jpeg_is_refused 422 photo_truncated "$(post_order "$work/cut.jpg" k2 "$good")"
refused zero_byte_upload_is_refused 422 photo_empty "$(post_order "$work/empty.jpg" k3 "$good")"
refused huge_png_is_refused 413 photo_too_large "$(post_order "$work/huge.png" k4 "$good")"
refused broken_json_is_refused 422 json_invalid "$(post_order "$sample" k5 '{"items":[')"
refused unknown_template_is_refused 422 unknown_template "$(post_order "$sample" k6 "$(order_json no-such 1)")"
refused unknown_member_is_refused 422 schema_violation "$(post_order "$sample" k7 "$(order_json figure-80 1 | sed 's/^{/{"x":1,/')")"
refused missing_key_is_refused 400 idempotency_key_missing "$(curl -s -w '\n%{http_code}' -F "order=$good" -F "photo1=@$sample" "$url/v1/orders")"
refused missing_photo_part_is_refused 422 photo_missing "$(curl -s -w '\n%{http_code}' -H 'Idempotency-Key: k8' -F "order=$good" "$url/v1/orders")"
refused missing_order_part_is_refused 422 order_missing "$(curl -s -w '\n%{http_code}' -H 'Idempotency-Key: k9' -F "photo1=@$sample" "$url/v1/orders")"
refused unknown_order_is_404 404 not_found "$(curl -s -w '\n%{http_code}' "$url/v1/orders/ord_00000000000000000000000000")"
started=$SECONDS
answer=$(printf 'POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nIdempotency-Key: k10\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 2147483648\r\n\r\n' |
    timeout 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/${url##*:}; cat >&3; head -1 <&3")
matches two_gigabytes_are_refused_at_the_door ' 413 ' "$answer"
same no_order_came_of_it 0 "$(orders)"
same no_bytes_were_kept 0 "$(blobs)"
same no_work_folder_was_left 0 "$(find "$work/var/work" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)"

# the command line: one line and an exit code
cli() { # NAME CODE ARGS..
    local n=$1 want=$2 got out; shift 2
    out=$("$program" "$@" 2>&1 >/dev/null); got=$?
    same "cli_$n" "$want 1" "$got $(grep -c . <<<"$out")"
}
printf 'solid x\nfacet normal 0 0 0\nouter loop\nvertex nan 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid x\n' >"$work/nan.stl"
printf 'solid x\nendsolid x\n' >"$work/none.stl"
cli text_photo 5 photo check "$work/text.jpg"
cli truncated_photo 5 photo check "$work/cut.jpg"
cli huge_photo 5 photo check "$work/huge.png"
cli missing_file 3 photo check "$work/nowhere.jpg"
cli mesh_with_nan 5 mesh prep "$work/nan.stl" -o "$work/out.3mf"
cli empty_mesh 5 mesh prep "$work/none.stl" -o "$work/out.3mf"
cli unknown_option 2 mesh prep "$work/none.stl" --no-such
cli unknown_command 2 frobnicate
cli unknown_printer 3 slice "$work/none.stl" -o "$work/out.gcode" --printer no-such
same cli_left_nothing_half_written 0 "$(find "$work" -maxdepth 1 -name 'out.*' | wc -l)"

# a dead Postgres: refusals, and life again when it is back
pgdata=$(find "$work/var" -name postmaster.pid 2>/dev/null | head -1)
if [ -n "$pgdata" ]; then
    data=$(dirname "$pgdata")
    as_pg "$pg_bin/pg_ctl" -D "$data" -s -m immediate stop
    refused dead_postgres_is_503 503 database_away "$(curl -s -w '\n%{http_code}' "$url/v1/orders")"
    refused dead_postgres_takes_no_order 503 database_away "$(post_order "$sample" k11 "$good")"
    same healthz_still_answers 200 "$(curl -s -o /dev/null -w '%{http_code}' "$url/healthz")"
    same readyz_says_no 503 "$(curl -s -o /dev/null -w '%{http_code}' "$url/readyz")"
    # the very command line that the service had started it with
    (cd "$data" && as_pg bash -c "exec $(cat "$data/postmaster.opts")" >/dev/null 2>&1) &
    ready() { [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/readyz")" = 200 ]; }
    check postgres_back_service_goes_on wait_for 30 ready
    answer=$(post_order "$sample" k11 "$good")
    same and_takes_the_order_now 201 "$(tail -1 <<<"$answer")"
else not_ok dead_postgres_is_503 "the private cluster was not found"; fi
