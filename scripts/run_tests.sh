#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs each test program and script in turn and adds up their "ok", "not ok" and "skip" lines.
# A program that ends in a crash, or says nothing, counts as failed.   run_tests.sh PROGRAM..
export OMP_WAIT_POLICY=passive # several tests or workers share the processors
set -u
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for t in "$@"; do
    started=$SECONDS
    echo "# $t"
    "$t" </dev/null 2>&1 | tee "$log" | sed -u 's/^/  /'
    code=${PIPESTATUS[0]}
    ok=$(grep -c '^ok ' "$log"); bad=$(grep -c '^not ok ' "$log"); skip=$(grep -c '^skip ' "$log")
    if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then
        echo "  not ok $t: ended with code $code"; bad=1
    elif [ $((ok + bad + skip)) -eq 0 ]; then
        echo "  not ok $t: said nothing"; bad=1
    fi
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
    [ $((SECONDS - started)) -lt 5 ] || echo "# took $((SECONDS - started)) s"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
