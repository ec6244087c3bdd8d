#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The rules of the house that a machine can see: who may include whom, one doorman for each foreign library, every public
# header compiles alone, an SPDX line on top of each file, a README in each folder. Prints "ok" and "not ok" lines.
set -u
cd "$(dirname "$0")/.." || exit 1
fail=0
say() { if [ -z "$2" ]; then echo "ok house__$1"; else echo "not ok house__$1: $(tr '\n' ' ' <<<"$2")"; fail=1; fi; }
files() { git ls-files "$@" 2>/dev/null | while read -r f; do [ -f "$f" ] && echo "$f"; done; }

# room -> rooms it may include
doors() {
    local room=$1 allowed=$2
    files "$room/*.c" "$room/*.h" "$room/*.cpp" "$room/**/*.c" "$room/**/*.h" "$room/**/*.cpp" |
        xargs -r grep -nHE '^#include "(base|print|intake|storage|service|tests)/' |
        grep -vE "#include \"($allowed)/" | head -5
}
say base_knows_nobody "$(doors base base)"
say print_includes_base_only "$(doors print 'base|print')"
say intake_includes_base_only "$(doors intake 'base|intake')"
say storage_includes_base_only "$(doors storage 'base|storage')"
say service_never_includes_tests "$(doors service 'base|print|intake|storage|service')"

# a foreign header (one that is no C, POSIX or Linux header) is included by one file of a room only
twice=$(for room in base print intake storage service; do
    files "$room/*.c" "$room/*.h" "$room/*.cpp" "$room/**/*.c" "$room/**/*.h" "$room/**/*.cpp" | sort -u |
        xargs -r grep -HoE '^#include <[^>]+>' /dev/null | sort -u | sed 's/#include <//; s/>//' |
        grep -E ':(cjson|curl|libpq|microhttpd|seccomp|sodium|png\.h|jpeglib|webp|libheif|lcms2|admesh|meshoptimizer|draco|zlib|lib3mf)' |
        cut -d: -f2 | sort | uniq -d | while read -r header; do echo "<$header> in several files of $room"; done
done)
say one_doorman_for_each_library "$twice"

alone=$(files '*.h' | grep -E '^(base|print|intake|storage|service)/' | while read -r h; do
    printf '#include "%s"\nint alone;\n' "$h" | gcc -std=c17 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -I. -fsyntax-only -x c - >/dev/null 2>&1 || echo "$h"; done)
say headers_compile_alone "$alone"

spdx=$(files '*.c' '*.h' '*.cpp' '*.sh' '*.sql' '*.js' '*.css' Makefile | while read -r f; do
    head -3 "$f" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later' || echo "$f"; done)
say spdx_line_on_top "$spdx"

unused=$(files 'storage/sql/*.sql' | while read -r f; do
    files '*.c' | grep -E '^(storage|service)/' | xargs grep -qF "\"$(basename "$f" .sql)\"" || echo "$f"; done)
say every_statement_is_run "$unused"

readme=$(for d in base print intake storage service schemas config tests scripts docs; do [ -f "$d/README.md" ] || echo "$d"; done)
say readme_in_each_folder "$readme"
exit $fail
