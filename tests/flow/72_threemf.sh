#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every sort of 3MF that `mesh prep` and `mesh plate` write, held against other programs: xmllint with schemas of our own, PrusaSlicer for
# closed surfaces, three.js as a browser has it.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit
python3 - <<'P'
import math
# a bust of rings, white below and red above: closed, and coloured by its corners
rings, around = 40, 60
points = [(0, 0, 0, 0)] + [(math.cos(6.2831853 * a / around) * r, math.sin(6.2831853 * a / around) * r, z, z)
                           for i in range(rings + 1) for z in [60 * i / rings] for r in [9 + 4 * math.sin(z / 7) - z / 20]
                           for a in range(around)] + [(0, 0, 60, 60)]
last = len(points) - 1
at = lambda i, a: 1 + i * around + a % around
faces = [(0, at(0, a + 1), at(0, a)) for a in range(around)] + [(last, at(rings, a), at(rings, a + 1)) for a in range(around)]
for i in range(rings):
    for a in range(around):
        faces += [(at(i, a), at(i, a + 1), at(i + 1, a + 1)), (at(i, a), at(i + 1, a + 1), at(i + 1, a))]
with open('bust.ply', 'w') as f:
    f.write('ply\nformat ascii 1.0\nelement vertex %d\nproperty float x\nproperty float y\nproperty float z\nproperty uchar red\n'
            'property uchar green\nproperty uchar blue\nelement face %d\nproperty list uchar int vertex_indices\nend_header\n'
            % (len(points), len(faces)))
    for x, y, z, h in points:
        f.write('%.5f %.5f %.5f %s\n' % (x, y, z, '200 20 30' if h > 35 else '255 255 255'))
    for t in faces:
        f.write('3 %d %d %d\n' % t)
P
prep() { "$program" mesh prep bust.ply --quiet --flatten 0 "$@"; }
check a_plain_figure prep -o plain.3mf
check in_two_colours prep -o coloured.3mf --colours 2 --title "Two <colours> & a 'name'"
check on_a_base_with_words prep -o named.3mf --base round --text REX --designer "$(printf 'A\nB')" --settings infill_percent=30
check with_its_base_apart prep -o apart.3mf --base round --split-base --part-code P-7
check hollow prep -o hollow.3mf --hollow 2 --drains 1
check of_another_process prep -o fine.3mf --process figure-fine --printer k2plus --material petg
check and_all_on_a_plate "$program" mesh plate coloured.3mf named.3mf plain.3mf -o plate.3mf --copies 2
node=
if command -v node >/dev/null; then
    node=$build/node
    check three_js_is_brought "$root/scripts/node_packages.sh" "$node"
else
    skip three_js_is_brought "there is no node"
fi
for f in plain coloured named apart hollow fine plate; do
    table=$("$root/scripts/check_threemf.py" --node "$node" "$f.3mf")
    same "${f}_is_taken_by_all" 0 $?
    matches "${f}_has_its_objects" "^\| $f.3mf \| $(case $f in apart) echo 2 ;; plate) echo 6 ;; *) echo 1 ;; esac) \|" "$table"
done
# The table must be able to say no.
python3 - <<'P'
import zipfile
def copy(name, change):
    a = zipfile.ZipFile('plain.3mf')
    with zipfile.ZipFile(name, 'w', zipfile.ZIP_DEFLATED) as z:
        for n in a.namelist():
            z.writestr(n, change(n, a.read(n)))
model = '3D/3dmodel.model'
copy('open.3mf', lambda n, d: d.replace(b'<triangle ', b'<triangles ', 1).replace(b'<triangles v', b'<!-- v', 1).replace(b'/>\n<triangle', b'-->\n<triangle', 1) if n == model else d)
copy('unit.3mf', lambda n, d: d.replace(b'"millimeter"', b'"ell"', 1) if n == model else d)
P
matches a_hole_is_found 'open.3mf .* (finds|1 of 1 objects not manifold)' "$("$root/scripts/check_threemf.py" open.3mf)"
matches a_unit_that_is_none_is_found 'unit.3mf .*model' "$("$root/scripts/check_threemf.py" unit.3mf)"
