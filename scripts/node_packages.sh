#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Copies tests/node to a folder and installs there what its lock file names.   node_packages.sh FOLDER
# Quick when that is done already. Needs npm.
set -eu
from=$(dirname "$0")/../tests/node to=$1
mkdir -p "$to"
cp "$from"/*.mjs "$to"
cmp -s "$from/package-lock.json" "$to/installed.json" && exit 0
cp "$from/package.json" "$from/package-lock.json" "$to"
(cd "$to" && npm ci --no-audit --no-fund --loglevel=error >npm.log 2>&1) || { tail -5 "$to/npm.log" >&2; exit 1; }
cp "$from/package-lock.json" "$to/installed.json"
