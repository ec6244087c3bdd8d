#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Prints an assembler file that holds each named file with its name and size (see base/assets.h).
# embed_assets.sh FILE..   from the project's root
set -eu
LC_ALL=C
export LC_ALL
files=$(printf '%s\n' "$@" | sort -u)
echo '.section .rodata'
n=0
for f in $files; do
    n=$((n + 1))
    printf '.Lname%d: .asciz "%s"\n.balign 16\n.Ldata%d: .incbin "%s"\n.Lend%d: .byte 0\n' $n "$f" $n "$f" $n
done
echo '.section .data.rel.ro,"aw"'
echo '.balign 16'
echo '.globl assets_table'
echo 'assets_table:'
i=0
for f in $files; do
    i=$((i + 1))
    printf '.quad .Lname%d, .Ldata%d, .Lend%d-.Ldata%d\n' $i $i $i $i
done
printf '.globl assets_count\nassets_count: .quad %d\n' $n
echo '.section .note.GNU-stack,"",@progbits'
