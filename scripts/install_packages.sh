#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what is missing of the named groups of scripts/packages.txt.   install_packages.sh GROUP..
# Quiet and quick when nothing is missing. Needs root, or sudo.
set -eu
list=$(dirname "$0")/packages.txt
missing=
provided=
# another package may have it inside and clash with it
inside() {
    [ -n "$provided" ] || provided=$(dpkg-query -W -f='${db:Status-Status} ${Provides},\n' 2>/dev/null | sed -n 's/^installed / /p')
    case $provided in *" $1,"*|*" $1 "*) return 0 ;; esac
    return 1
}
for group in "$@"; do
    for package in $(awk -v g="$group" '$1 == g { print $2 }' "$list"); do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || inside "$package" || missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0
echo "installing:$missing"
command -v apt-get >/dev/null || {
    echo "This is no Debian: please install what scripts/packages.txt lists by hand." >&2; exit 1; }
sudo=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "Please run as root: apt-get install --no-install-recommends$missing" >&2; exit 1; }
    sudo=sudo
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() { "$@" >"$log" 2>&1 || { tail -20 "$log" >&2; echo "could not install:$missing" >&2; exit 1; }; }
quietly $sudo apt-get -q update
# postgresql-common would otherwise make and start a cluster of its own; ours is private
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    quietly $sudo mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | quietly $sudo tee /etc/postgresql-common/createcluster.conf
fi
# shellcheck disable=SC2086
quietly $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
    -o Dpkg::Options::=--force-confold $missing
echo "installed."
