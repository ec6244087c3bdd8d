#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Coverage-guided fuzzing: each row of tests/fuzz/targets.c for so many seconds, as many side by side as there are
# cores. Inputs that bring something new stay in build/fuzz/ROW and are taken up next time; what went wrong lies
# in build/fuzz/found.   fuzz.sh [SECONDS] [ROW..]
set -u
cd "$(dirname "$0")/.." || exit 1
seconds=${1:-60}
shift
rows=("$@")
[ ${#rows[@]} -gt 0 ] || rows=(soup glb_parts glb 3mf_model ply obj stl off 3mf glb_draco glb_meshopt glb_textured drc zip gcode)
program=$PWD/build/obj-fuzz/tests/fuzz/targets
work=$PWD/build/fuzz
corpus=${STATUETTE_SHARED:-../shared}/corpus/meshes
mkdir -p "$work/found" "$work/log"
build/obj-fuzz/tests/fuzz/write_seeds "$work" || exit 1

# small real files, when they lie beside the project
for row in "${rows[@]}"; do
    mkdir -p "$work/$row"
    [ -d "$corpus" ] && find "$corpus" -type f -iname "*.$row" -size -24k -print0 |
        while IFS= read -r -d '' f; do
            cp "$f" "$work/$row/$(sha256sum "$f" | cut -c1-40)"
        done
done

one() {
    local row=$1 most=30000 slowest=60
    [ "$row" = soup ] && most=400 slowest=300 # a whole preparation with its search for an orientation, under ASan
    FUZZ_TARGET=$row ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 \
        LSAN_OPTIONS=suppressions=tests/fuzz/lsan.supp:print_suppressions=0 \
        nice -n 19 "$program" -max_total_time="$seconds" -timeout=$slowest -rss_limit_mb=3000 -max_len=$most \
        -use_value_profile=1 -artifact_prefix="$work/found/$row-" "$work/$row" >"$work/log/$row" 2>&1
    local code=$?
    local said
    said=$(grep -aoE 'cov: [0-9]+' "$work/log/$row" | tail -1)
    if [ $code -eq 0 ]; then
        echo "ok fuzz__$row: $(grep -aoE '^Done [0-9]+ runs in [0-9]+ second' "$work/log/$row")s, $said"
    else
        echo "not ok fuzz__$row: $(grep -ahoE 'fuzz: .*|SUMMARY: .*|runtime error: .*' "$work/log/$row" | head -1); $(
            grep -aoE 'Test unit written to .*' "$work/log/$row" | tail -1)"
    fi
    return $code
}
export -f one
export work program seconds
printf '%s\n' "${rows[@]}" | xargs -P "$(nproc)" -I{} bash -c 'one {}'
