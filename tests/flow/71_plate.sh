#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# From meshes to a 3MF that a slicer prints as it was meant: printer, filament, process and each object's own values are
# in the file. Changing one shows in another program's G-code, so they are used, not only written.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit
python3 - <<'P'
def write(name, box):
    x, y, z = box
    v = [(i, j, k) for k in (0, z) for j in (0, y) for i in (0, x)]
    f = [(0, 2, 1), (1, 2, 3), (4, 5, 6), (5, 7, 6), (0, 1, 4), (1, 5, 4), (2, 6, 3), (3, 6, 7), (0, 4, 2), (2, 4, 6), (1, 3, 5), (3, 7, 5)]
    with open(name, 'w') as out:
        out.write('solid b\n')
        for t in f:
            out.write('facet normal 0 0 0\nouter loop\n' + ''.join('vertex %g %g %g\n' % v[i] for i in t) + 'endloop\nendfacet\n')
        out.write('endsolid b\n')
write('cube.stl', (20, 20, 20))
write('slab.stl', (60, 14, 10))
with open('open.stl', 'w') as out:
    out.write('solid o\nfacet normal 0 0 0\nouter loop\nvertex 0 0 0\nvertex 9 0 0\nvertex 0 9 5\nendloop\nendfacet\nendsolid o\n')
P
prep() { "$program" mesh prep "$@" --height 20 --flatten 0 --quiet; }
part() { python3 -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))' "$@"; }
check prep_writes_a_3mf prep cube.stl -o plain.3mf
check and_one_with_values_of_its_own prep cube.stl -o dense.3mf --settings infill_percent=40,wall_count=3 --settings support=off
check and_one_of_another_process prep cube.stl -o fine.3mf --process figure-fine
same our_part_says_what_it_was_made_for "ender3v3se pla figure 40" "$(part dense.3mf Metadata/statuette.json | jq -r '"\(.printer) \(.material) \(.process) \(.objects[0].settings.infill_percent)"')"
same the_frozen_profile_is_named 64 "$(part plain.3mf Metadata/statuette.json | jq -r '.profile_sha256|length')"
same orcas_part_is_texts_only "array string" "$(part plain.3mf Metadata/project_settings.config | jq -r '[.[]|type]|unique|join(" ")')"
matches settings_are_checked 'infill_percent: must be at most 100' "$(prep cube.stl -o no.3mf --settings infill_percent=400 2>&1)"
matches and_named 'there are infill_percent, infill_pattern' "$(prep cube.stl -o no.3mf --settings infil=40 2>&1)"
check and_nothing_is_written test ! -e no.3mf
prep cube.stl -o hostile.3mf --title $'"><x>\n; layer_height = 9' --designer '</metadata>' --description $'\xff\x01' --part-code '&amp;' >/dev/null
check hostile_words_stay_words "$program" mesh inspect hostile.3mf
same and_change_no_setting 1 "$(part hostile.3mf Metadata/Slic3r_PE.config | grep -c '^; layer_height = ')"

check plate_puts_several_on_a_bed "$program" mesh plate dense.3mf plain.3mf slab.stl -o plate.3mf --copies 2 --title "Two of each"
report=$("$program" mesh plate dense.3mf plain.3mf slab.stl -o again.3mf --copies 2 --title "Two of each" --json)
check the_same_plate_gives_the_same_bytes cmp plate.3mf again.3mf
same names_and_settings_stay "cube.stl 40|cube.stl (2) 40|cube.stl null|cube.stl (2) null|slab null|slab (2) null" "$(jq -r '[.objects[]|"\(.name) \(.settings.infill_percent)"]|join("|")' <<<"$report")"
check every_two_are_a_gap_and_two_brims_apart python3 -c '
import json, sys
boxes = [(o["place_mm"], o["size_mm"]) for o in json.loads(sys.argv[1])["objects"]]
for i, (p, s) in enumerate(boxes):
    assert all(3 <= p[k] - s[k] / 2 and p[k] + s[k] / 2 <= 217 for k in (0, 1)), (p, s)
    for q, t in boxes[:i]:
        assert any(abs(p[k] - q[k]) >= (s[k] + t[k]) / 2 + 10.999 for k in (0, 1)), (p, q)' "$report"
matches what_finds_no_room_is_named 'no room for "slab".*parts fit on the bed of 220 x 220 mm.*plate_full' "$("$program" mesh plate slab.stl -o no.3mf --copies 90 2>&1)"
matches what_is_no_body_is_sent_to_mesh_prep 'open.stl is no closed body: run `statuette mesh prep`' "$("$program" mesh plate open.stl -o no.3mf 2>&1)"
check and_no_file_is_left test ! -e no.3mf
check a_plate_may_be_put_on_a_larger_bed "$program" mesh plate plate.3mf -o large.3mf --printer k2plus

python3 - <<'P'
# a cube whose lower half is red and whose upper half is blue, each corner of each side a vertex of its own
v, f = [], []
corners = (((0, 0), (20, 0)), ((20, 0), (20, 20)), ((20, 20), (0, 20)), ((0, 20), (0, 0)))
red, blue = (250, 10, 10), (10, 10, 250)
def side(points, rgb, order=(0, 1, 2, 0, 2, 3)):
    n = len(v)
    v.extend((*p, *rgb) for p in points)
    f.extend((tuple(n + i for i in order[:3]), tuple(n + i for i in order[3:])))
for z, rgb in ((0, red), (10, blue)):
    for a, b in corners:
        side(((*a, z), (*b, z), (*b, z + 10), (*a, z + 10)), rgb)
side([(*a, 0) for a, _ in corners], red, (0, 2, 1, 0, 3, 2))
side([(*a, 20) for a, _ in corners], blue)
with open('flag.ply', 'w') as out:
    out.write('ply\nformat ascii 1.0\nelement vertex %d\n' % len(v) + ''.join('property float %s\n' % k for k in 'xyz'))
    out.write(''.join('property uchar %s\n' % k for k in ('red', 'green', 'blue')) + 'element face %d\nproperty list uchar int vertex_indices\nend_header\n' % len(f))
    out.write(''.join('%g %g %g %d %d %d\n' % t for t in v) + ''.join('3 %d %d %d\n' % t for t in f))
P
colours_of() { part "$1" 3D/3dmodel.model | python3 -c '
import re, sys
model = sys.stdin.read()
colours = re.findall("color=\"(#[0-9A-F]+)\"", model)
first = model[model.index("<object id=\"1\""):model.index("</object>")]
usual = re.search("pindex=\"([0-9]+)\"", first).group(1)
own = [re.search("p1=\"([0-9]+)\"", t) for t in re.findall("<triangle [^>]*>", first)]
seen = [colours[int(o.group(1) if o else usual)] for o in own]
print(seen.count("#FF0000"), seen.count("#0000FF"), len(seen))'; }
prep flag.ply -o flag.3mf --colours '#0000ff,#ff0000' --orient keep >/dev/null
"$program" mesh plate flag.3mf plain.3mf -o flags.3mf --copies 2 --quiet
same a_flag_has_two_colours "10 10 20" "$(colours_of flag.3mf)"
same colours_stay_on_a_plate "10 10 20" "$(colours_of flags.3mf)"

mkdir role
objects() { printf '{"input": "%s", "name": "in.3mf", "printer": "%s"}' "$PWD/$1" "${2:-ender3v3se}" >role/options.json; rm -f role/out* role/result.json; "$program" child tostl role && jq -c "$3" role/result.json; }
same slicing_sees_each_object "6 40 figure" "$(objects plate.3mf ender3v3se '"\(.objects|length) \(.objects[0].settings.infill_percent) \(.prepared_for.process)"' | tr -d '"')"
same each_is_a_file_of_its_own "6 1" "$(ls role | grep -c '^out_[1-6].stl$') $(ls role | grep -c '^out.stl$')"
check in_its_place_about_the_middle python3 -c '
import json, struct, sys
wanted = json.loads(sys.argv[1])["objects"]
for i, o in enumerate(json.load(open("role/result.json"))["objects"]):
    d = open("role/" + o["file"], "rb").read()
    n = struct.unpack("<I", d[80:84])[0]
    v = [struct.unpack("<12f", d[84 + 50 * t:132 + 50 * t])[3:] for t in range(n)]
    for k in range(3):
        c = [x for t in v for x in t[k::3]]
        middle = (min(c) + max(c)) / 2 if k < 2 else min(c)
        assert abs(middle - (wanted[i]["place_mm"][k] - (110 if k < 2 else 0))) < 0.01, (i, k, middle)' "$report"
objects plain.3mf k2plus . >/dev/null
same one_object_is_one_file out.stl "$(jq -r '.objects|map(.file)|join(" ")' role/result.json)"
# What another program changed is another's file: its objects are taken as they are, what ours said of them is not.
python3 - <<'P'
import json, re, zipfile
a = zipfile.ZipFile('plate.3mf')
def copy(name, change):
    with zipfile.ZipFile(name, 'w', zipfile.ZIP_DEFLATED) as z:
        for n in a.namelist():
            z.writestr(n, change(n, a.read(n)))
own = 'Metadata/statuette.json'
def moved(n, d):
    if n != '3D/3dmodel.model': return d
    return re.sub(rb'transform="1 0 0 0 1 0 0 0 1 [0-9.]+', b'transform="1 0 0 0 1 0 0 0 1 50', d, count=1)
def evil(n, d):
    if n != own: return d
    j = json.loads(d); j['objects'][0]['settings'] = {'infill_percent': 1e9}; return json.dumps(j).encode()
def stacked(n, d):
    if n != '3D/3dmodel.model': return d
    places = re.findall(rb'transform="([^"]+)"', d)
    return d.replace(places[1], places[0][:places[0].rindex(b' ')] + b' 20')
copy('moved.3mf', moved)
copy('stacked.3mf', stacked)
copy('evil.3mf', evil)
copy('finer.3mf', lambda n, d: d.replace(b'; layer_height = 0.2\n', b'; layer_height = 0.16\n') if n.endswith('Slic3r_PE.config') else d)
P
same what_was_moved_elsewhere_loses_its_settings "6 null null" "$(objects moved.3mf ender3v3se '"\(.objects|length) \(.objects[0].settings.infill_percent) \(.prepared_for)"' | tr -d '"')"
same what_lies_over_another_is_one_with_it 5 "$(objects stacked.3mf ender3v3se '.objects|length')"
check and_can_be_sliced "$program" slice stacked.3mf -o stacked.gcode
same what_is_against_the_schema_is_not_believed "6 null" "$(objects evil.3mf ender3v3se '"\(.objects|length) \(.objects[0].settings.infill_percent)"' | tr -d '"')"

# Both engines slice it object by object: each has its own infill, so the plate takes what its objects take alone.
printed() { "$program" slice "$1.3mf" -o "$1.gcode" --engine "$2" --json | jq .filament_mm; }
check_engine() {
    local dense plain plate
    dense=$(printed dense "$1") plain=$(printed plain "$1")
    "$program" mesh plate dense.3mf plain.3mf -o pair.3mf --copies 2 --quiet
    plate=$(printed pair "$1")
    check "$1_prints_each_object_by_its_own_settings" python3 -c '
import sys
dense, plain, plate = map(float, sys.argv[1:])
assert dense > 1.2 * plain and abs(plate / (2 * (dense + plain)) - 1) < 0.02, (dense, plain, plate)' "$dense" "$plain" "$plate"
}
check_engine cura

if ! command -v prusa-slicer >/dev/null; then skip prusa_slicer_reads_it "no prusa-slicer"; exit; fi
check_engine prusa
slice() { prusa-slicer -g "$1.3mf" -o "$1.gcode" >/dev/null 2>"$1.log" || cat "$1.log"; }
said() { sed -n "s/^; $2 = //p" "$1.gcode" | tail -1; }
for f in plain dense fine plate finer; do slice $f; done
same prusa_uses_the_printer_in_the_file "Creality Ender-3 V3 SE|0x0,220x0,220x220,0x220|1.75|1.24" "$(said plain printer_model)|$(said plain bed_shape)|$(said plain filament_diameter)|$(said plain filament_density)"
same and_the_process "0.2 0.12" "$(said plain layer_height) $(said fine layer_height)"
same fine_layers_are_more "1" "$(python3 -c "print(int($(grep -c '^;LAYER_CHANGE' fine.gcode) > 1.5 * $(grep -c '^;LAYER_CHANGE' plain.gcode)))")"
same an_objects_own_infill_is_printed 1 "$(python3 -c "print(int($(said dense 'filament used \[mm\]') > 1.2 * $(said plain 'filament used \[mm\]')))")"
same a_value_changed_in_the_file_changes_the_print "0.16" "$(said finer layer_height)"
same every_object_is_manifold "6 0" "$(prusa-slicer --info plate.3mf 2>/dev/null | awk '/manifold = yes/{y++} /manifold = no/{n++} END{print y+0, n+0}')"
same the_plate_is_printed_whole 1 "$(python3 -c "print(int(abs($(said plate 'filament used \[mm\]') / (2 * ($(said plain 'filament used \[mm\]') + $(said dense 'filament used \[mm\]')))) > 1))")"
