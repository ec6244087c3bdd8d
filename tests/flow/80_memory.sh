#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A sample of the readers of outside bytes under valgrind: no bad access, no use of what nobody wrote, nothing lost.
# The whole suite runs under ASan and UBSan with config=sanitize; this one sees what those cannot (uninitialised bytes).
. "$(dirname "$0")/lib.sh"
sample_of=( # program, tests whose name holds this word ("" all): together about 20 s on one core
    "base/base_test "
    "intake/photo_test photo__refuses_what"
    "intake/photo_test survives"
    "intake/photo_test colour__ignores"
    "intake/provider_test "
    "print/read_test "
    "print/gcode_test names_"
    "print/gcode_test bears_"
    "print/export_test refuses_what"
    "service/multipart_test "
)
command -v valgrind >/dev/null || { skip readers_under_valgrind "valgrind is not installed"; exit 0; }
if grep -aq __asan_init "$build/tests/base/base_test"; then skip readers_under_valgrind "built with ASan, which valgrind cannot run"; exit 0; fi
export STATUETTE_SHARED=/nonexistent # the large corpora are not for valgrind

clean() { # PROGRAM WORD: valgrind has nothing to say and the tests pass
    local out code
    out=$(timeout 100 valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
        --show-leak-kinds=definite --suppressions="$here/valgrind.supp" "$build/tests/$1" ${2:+"$2"} 2>&1)
    code=$?
    [ $code -eq 0 ] && grep -q '^ok ' <<<"$out" && ! grep -q '^not ok ' <<<"$out" && return
    echo "code $code"; grep -E '^(==|not ok)' <<<"$out" | head -20
    return 1
}
for s in "${sample_of[@]}"; do
    program_of=${s%% *} word=${s#* }
    check "$(basename "$program_of")${word:+_$word}" clean "$program_of" "$word"
done
