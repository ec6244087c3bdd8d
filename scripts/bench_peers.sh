#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the drivers of the peer libraries for `make bench`; one whose library is missing is left out with a
# word.   bench_peers.sh FOLDER
set -u
out=$1/peers
mkdir -p "$out"
build() {
    local name=$1
    shift
    [ "$out/$name" -nt "tests/bench/peers/$name.cpp" ] && [ "$out/$name" -nt tests/bench/peers/stl.h ] && return
    echo "  c++ tests/bench/peers/$name.cpp"
    rm -f "$out/$name"
    g++ -std=c++17 -O2 -DNDEBUG -I. -o "$out/$name" "tests/bench/peers/$name.cpp" "$@" 2>"$out/$name.log" ||
        echo "  left out: $name does not build here ($(grep -m1 -E 'error|cannot find' "$out/$name.log" | cut -c1-120))"
}
build cgal_peer -frounding-math -lgmp -lmpfr -ltbb -lpthread
build openvdb_peer -lopenvdb -ltbb -lImath-3_1
build meshopt_peer -lmeshoptimizer
