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
check an_input_may_come_through_a_pipe "$program" mesh prep <(cat tet.stl) -o piped.stl --height 30 --flatten 0
check and_gives_the_same_solid cmp piped.stl out.stl
check one_kind_may_be_asked_for_twice "$program" mesh prep tet.stl -o one.3mf -o two.3mf --height 30 --flatten 0
check and_both_are_whole cmp one.3mf two.3mf
check nothing_else_is_left_behind test ! -e out.3mf -a "$(find . -name 'one.3mf*' | wc -l)" = 1
shm=$(mktemp -d -p /dev/shm 2>/dev/null) && {
    check another_file_system_is_written_to "$program" mesh prep tet.stl -o "$shm/far.3mf" --height 30 --flatten 0
    check and_holds_the_same_bytes cmp "$shm/far.3mf" tet.3mf
    rm -r "$shm"
}
matches a_missing_input_is_named 'cannot open no.stl' "$("$program" mesh prep no.stl -o no.3mf 2>&1)"
check so_does_python python3 -c 'import sys, zipfile; sys.exit(zipfile.ZipFile("tet.3mf").testzip() is not None)'
same mesh_prep_makes_the_longest_side 40 "$("$program" mesh prep tet.stl -o long.stl --longest 40 --json | jq '.output.size_mm|max*1000|round/1000')"
report=$("$program" mesh prep tet.stl -o named.3mf -o named.stl --height 40 --base round --base-height 4 --text ANNA --text-style embossed --pictures pics --json)
same a_base_with_a_text_is_joined "pass 40 1 true 0" "$(jq -r '"\(if .verdict=="reject" then .verdict else "pass" end) \(.output.size_mm[2]|round) \(.output.shells) \(.output.watertight) \(.output.self_intersections)"' <<<"$report")"
check pictures_are_written test -s pics/render_thin.png -a -s pics/render_turn.png -a -s pics/preview.glb
same the_preview_is_a_glb glTF "$(head -c 4 pics/preview.glb)"
matches a_text_that_cannot_fit_is_refused 'text_too_long' "$("$program" mesh prep tet.stl -o no.3mf --height 30 --base round --base-size 20 --text "far too many words for so small a base" 2>&1)"
check and_nothing_is_written test ! -e no.3mf
same split_from_its_base_it_is_two_pieces 2 "$("$program" mesh prep named.stl -o two.stl --height 60 --base square --base-size 40 --split-base --json | jq .output.shells)"
matches split_base_needs_a_base 'needs --base' "$("$program" mesh prep tet.stl -o no.3mf --split-base 2>&1)"
hollow=$("$program" mesh prep tet.stl -o hollow.stl --height 60 --hollow 1.5 --drains 2 --json)
same hollowing_saves_material true "$(jq '[.findings[]|select(.code=="hollowed")]|length==1 and (.[0].value>1000)' <<<"$hollow")"
cat >red.ply <<'PLY'
ply
format ascii 1.0
element vertex 4
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
element face 4
property list uchar int vertex_indices
end_header
0 0 0 250 10 10
10 0 0 250 10 10
0 10 0 250 10 10
0 0 10 250 10 10
3 0 2 1
3 0 1 3
3 1 2 3
3 0 3 2
PLY
same colours_come_to_filaments "#ff0000" "$("$program" mesh prep red.ply -o red.3mf --colours '#ffffff,#ff0000' --json | jq -r '[.colours[]|select(.share>0.9)][0].rgb')"
matches colours_are_checked 'number, or colours' "$("$program" mesh prep red.ply -o no.3mf --colours '#ff' 2>&1)"
check heat_maps_are_drawn "$program" mesh render tet.3mf -o heat.png --heat thin
check turntables_are_drawn "$program" mesh render tet.3mf -o turn.png --turntable 4 --size 64x64
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
