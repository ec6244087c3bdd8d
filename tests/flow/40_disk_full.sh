#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A full disk: the upload is refused with a code, nothing is half-written, and the service goes on when there is room again.
. "$(dirname "$0")/lib.sh"
mkdir -p "$work/small"
if [ "$(id -u)" -ne 0 ] || ! mount -t tmpfs -o size=3m tmpfs "$work/small" 2>/dev/null; then
    skip full_disk_is_refused "needs root and mount"; exit 0
fi
before_removal() { umount "$work/small"; }
export STATUETTE_BLOBS=$work/small/blobs
start_service up || exit
dd if=/dev/zero of="$work/small/ballast" bs=1k count=4000 2>/dev/null
answer=$(post_order "$sample" k1 "$(order_json figure-80 1)")
matches full_disk_is_refused '^50[37]$' "$(tail -1 <<<"$answer")"
same with_its_code disk_full "$(head -n -1 <<<"$answer" | jq -r .code)"
same nothing_half_written 0 "$(find "$work/small/blobs" -type f 2>/dev/null | wc -l)"
same no_order 0 "$(get /v1/orders | jq '.orders|length')"
rm "$work/small/ballast"
answer=$(post_order "$sample" k1 "$(order_json figure-80 1)")
same with_room_again_it_is_taken 201 "$(tail -1 <<<"$answer")"
