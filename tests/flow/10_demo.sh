#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `statuette up --demo`: from photo to printed part in one command; again on the same folder; every file is what its hash says.
. "$(dirname "$0")/lib.sh"

run_demo() { NO_COLOR=1 timeout 150 "$program" up --demo "$@" >"$work/demo.out" 2>"$work/demo.err"; }

if run_demo; then ok first_run_ends_with_0; else not_ok first_run_ends_with_0 "$(tail -c 400 "$work/demo.err")"; fi
for stage in 'making a model' 'preparing' 'slicing' 'printing'; do
    check "shows_${stage// /_}" grep -q "$stage" "$work/demo.out"
done
bad=0 files=0
while read -r hash path; do
    files=$((files + 1))
    [ "$(sha256sum "$path" | cut -c1-12)" = "$hash" ] || bad=$((bad + 1))
done < <(sed -nE 's/^  ([0-9a-f]{12})  (.*)$/\1 \2/p' "$work/demo.out")
same every_printed_hash_is_true 0 "$bad"
check prints_at_least_ten_files test "$files" -ge 10
for kind in '.3mf' '.stl' '.gcode' '_render_front.png' '_report.json'; do
    check "gives_a${kind//[._]/_}" bash -c "ls $work/var/demo/*/*$kind"
done
check leaves_no_process_behind bash -c "! find '$work/var' -name postmaster.pid | grep -q ."
if run_demo; then ok second_run_reuses_the_cluster; else not_ok second_run_reuses_the_cluster "$(tail -c 400 "$work/demo.err")"; fi
