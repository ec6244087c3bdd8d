#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The tools on one file, as somebody uses them who wants a printer-ready 3MF from one command.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit
check photo_check_writes_a_picture "$program" photo check "$sample" -o normal.png --cutout cutout.png
same photo_check_json_has_a_verdict pass "$("$program" photo check "$sample" --json | jq -r .report.verdict)"
python3 - <<'P'
# a tetrahedron of 4 triangles in ASCII: the smallest solid
v = [(0, 0, 0), (10, 0, 0), (0, 10, 0), (0, 0, 10)]
with open('tet.stl', 'w') as f:
    f.write('solid t\n')
    for t in [(0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)]:
        f.write('facet normal 0 0 0\nouter loop\n' + ''.join('vertex %g %g %g\n' % v[i] for i in t) + 'endloop\nendfacet\n')
    f.write('endsolid t\n')
P
check mesh_inspect_reads_it "$program" mesh inspect tet.stl
same mesh_inspect_says_watertight true "$("$program" mesh inspect tet.stl --json | jq .input.watertight)"
before=$(sha256sum tet.stl)
check mesh_prep_writes_both "$program" mesh prep tet.stl -o tet.3mf -o out.stl --height 30 --flatten 0 --report report.json
same mesh_prep_changes_no_input "$before" "$(sha256sum tet.stl)"
same mesh_prep_scales_to_the_height 30 "$(jq '.output.size_mm[2]*1000|round/1000' report.json)"
"$program" mesh prep tet.stl -o again.3mf --height 30 --flatten 0 --quiet >/dev/null
check the_same_input_gives_the_same_bytes cmp tet.3mf again.3mf
check mesh_render_draws "$program" mesh render tet.3mf -o pic.png --size 200x150 --view front
same picture_has_the_size "200 150" "$(python3 -c "import struct;d=open('pic.png','rb').read();print(*struct.unpack('>II',d[16:24]))")"
check slice_gives_gcode "$program" slice tet.3mf -o tet.gcode
check gcode_check_passes_it "$program" gcode check tet.gcode
sed -i 's/M104 S0/M104 S200/' tet.gcode
"$program" gcode check tet.gcode >/dev/null; same gcode_check_names_a_hot_end 5 $?
check help_teaches bash -c "'$program' mesh prep --help | grep -q Example"
check doctor_runs "$program" doctor
check man_page_is_made bash -c "'$program' man | head -3 | grep -q '^.TH STATUETTE'"
check provider_list_names_relief bash -c "'$program' provider list | grep -q relief"
check provider_test_of_relief "$program" provider test relief
