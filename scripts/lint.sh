#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# clang-format (no change wanted), cppcheck and clang-tidy over our C files; ends with 1 when any has something to say.
set -u
cd "$(dirname "$0")/.." || exit 1
mapfile -t sources < <(git ls-files 'base/*.c' 'print/*.c' 'intake/*.c' 'storage/*.c' 'service/*.c')
mapfile -t all < <(git ls-files '*.c' '*.h')
bad=0
clang-format --dry-run -Werror "${all[@]}" || bad=1
# varFuncNullUB: NULL ends log_event's pairs; in C on POSIX it is a pointer, and the compiler's sentinel check watches.
cppcheck --quiet --std=c11 --inline-suppr --error-exitcode=1 --enable=warning,performance,portability \
    --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=varFuncNullUB \
    --include=/usr/include/cjson/cJSON.h -I. -j "$(nproc)" "${sources[@]}" || bad=1
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 4 sh -c \
    'clang-tidy --quiet --warnings-as-errors="*" --checks="-*,clang-analyzer-core.*,clang-analyzer-unix.*,clang-analyzer-deadcode.*,bugprone-string-integer-assignment,bugprone-misplaced-widening-cast,bugprone-undefined-memory-manipulation,bugprone-suspicious-memset-usage,bugprone-use-after-move,bugprone-infinite-loop" "$@" -- -std=c17 -D_GNU_SOURCE -I. -I/usr/include/postgresql -I/usr/include/freetype2 -I/usr/include/harfbuzz -fopenmp 2>/dev/null' _ || bad=1
[ $bad -eq 0 ] && echo "lint: clean"
exit $bad
