#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Prints the schema of a migrated database in the form of schemas/current.sql: no comments, no settings, no empty lines.
# dump_schema.sh CONNINFO > schemas/current.sql     a running `statuette up` prints its conninfo; tests make one of their own
set -eu
program=$(ls -d /usr/lib/postgresql/*/bin/pg_dump 2>/dev/null | sort -V | tail -n 1)
program=${program:-$(command -v pg_dump)}
echo "-- SPDX-License-Identifier: GPL-3.0-or-later"
echo "-- What the migrations add up to; written by scripts/dump_schema.sh, held against them by tests/storage/migrate_test.c."
"$program" --schema-only --no-owner --no-privileges --no-comments --dbname "$1" |
    grep -v -E '^(--|SET |SELECT pg_catalog.set_config|\\restrict|\\unrestrict|$)'
