#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Real slices of both engines pass the G-code check; damaged in one way each, the check names that damage.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit
[ -x /usr/bin/CuraEngine ] || { skip all "cura-engine is not installed"; exit; }

# A lid on a post, 12 mm high; the same eight times as wide; the same a third as wide.
python3 - <<'P'
import struct
def box(l, h):
    p = [(x, y, z) for z in (l[2], h[2]) for x, y in ((l[0], l[1]), (h[0], l[1]), (h[0], h[1]), (l[0], h[1]))]
    f = [0,2,1,0,3,2,4,5,6,4,6,7,0,1,5,0,5,4,1,2,6,1,6,5,2,3,7,2,7,6,3,0,4,3,4,7]
    return [[p[i] for i in f[k:k + 3]] for k in range(0, 36, 3)]
def write(name, wide):
    t = box((-3 * wide, -3 * wide, 0), (3 * wide, 3 * wide, 8)) + box((-8 * wide, -8 * wide, 8), (8 * wide, 8 * wide, 12))
    open(name, 'wb').write(bytes(80) + struct.pack('<I', len(t)) +
                           b''.join(struct.pack('<12fH', 0, 0, 0, *sum(map(list, x), []), 0) for x in t))
write('lid.stl', 1); write('wide.stl', 8); write('thin.stl', 1 / 3)
P

codes() { # FILE OPTIONS..: the errors' codes, sorted, each once
    "$program" gcode check --json --material pla "$@" 2>/dev/null | jq -r '[.findings[]|select(.severity=="error")|.code]|unique|join(" ")'
}
named() { # NAME CODES FILE OPTIONS..: these errors and no others, exit code 5
    same "$1" "$2" "$(codes "${@:3}")"
    "$program" gcode check --quiet --material pla "${@:3}" >/dev/null 2>&1; same "$1_exit_code" 5 $?
}
damaged() { # NAME CODES SED-ARGUMENTS..: of the file $good
    local n=$1 wanted=$2; shift 2
    sed "$@" "$good" >bad.gcode
    cmp -s bad.gcode "$good" && { not_ok "${engine}_$n" "nothing was damaged"; return; }
    named "${engine}_$n" "$wanted" bad.gcode --model lid.stl
}

for engine in cura prusa; do
    good=$work/$engine.gcode
    [ $engine = cura ] || [ -x /usr/bin/prusa-slicer ] || { skip prusa "prusa-slicer is not installed"; continue; }
    check ${engine}_slices "$program" slice lid.stl -o "$good" --engine $engine
    check ${engine}_passes "$program" gcode check "$good" --material pla --model lid.stl
    same ${engine}_has_no_error "" "$(codes "$good" --model lid.stl)"
    matches ${engine}_measures_are_told '12.00 mm high' "$("$program" gcode check "$good" --material pla)"

    damaged no_heat_at_all "bed_cold cold_extrusion" -e '/^M1[049][049]/d' -e '/^M1[049]0/d'
    damaged cold_nozzle cold_extrusion -e '/^M10[49] S[1-9]/d'
    damaged no_wait_for_the_nozzle heat_not_awaited -e 's/^M109/M104/'
    damaged cold_bed bed_cold -e '/^M1[49]0 S[1-9]/d'
    damaged nozzle_stays_hot heaters_left_on -e '/^M104 S0/d'
    damaged bed_stays_hot heaters_left_on -e '/^M140 S0/d'
    damaged nozzle_too_hot too_hot -e 's/^M109 S.*/M109 S400/'
    damaged too_hot_for_the_material nozzle_unfit -e 's/^M109 S.*/M109 S250/'
    damaged word_in_braces placeholder_left -e 's/^M190 S.*/&\nM190 S{bed_c}/'
    damaged word_in_brackets placeholder_left -e 's/^M190 S.*/&\nM190 S[bed_temperature]/'
    damaged emergency_stop command_forbidden -e '0,/^G28/s/^G28.*/&\nM112/'
    damaged settings_reset command_forbidden -e '0,/^G28/s/^G28.*/&\nM502/'
    damaged firmware_update command_forbidden -e '0,/^G28/s/^G28.*/&\nM997/'
    damaged unknown_macro command_forbidden -e '0,/^G28/s/^G28.*/&\nCLEAN_NOZZLE/'
    damaged inches command_forbidden -e '0,/^G28/s/^G28.*/&\nG20/'
    damaged other_tool tool_change -e '0,/^G28/s/^G28.*/&\nT1/'
    damaged flow_by_hand speed_override -e '0,/^G28/s/^G28.*/&\nM221 S300/'
    damaged command_in_a_comment lone_cr -e '0,/^G28/s/^G28.*/&\n; a name\rM112/'
    damaged null_byte odd_bytes -e '0,/^G28/s/^G28.*/&\nM107\x00/'
    damaged torn_number unreadable_line -e '0,/^G28/s/^G28.*/&\nG1 X1.2.3/'
    damaged homing_in_the_middle homing_in_print -e '0,/^;\(LAYER:20\|Z:4\)$/s//&\nG28/'
    damaged motors_off_in_the_middle motors_off_in_print -e '0,/^;\(LAYER:20\|Z:4\)$/s//&\nM84/'
    damaged cold_in_the_middle cold_extrusion -e '0,/^;\(LAYER:20\|Z:4\)$/s//&\nM104 S0/'
    damaged aside outside_bed -e '/^G28/,$s/X1\([0-9][0-9]\)/X2\1/'
    damaged broken_arc arc_broken -e '0,/^;\(LAYER:20\|Z:4\)$/s//&\nG2 X150 Y110 I1 J0/'

    head -c $(($(stat -c %s "$good") / 2)) "$good" >bad.gcode
    matches ${engine}_half_a_file 'heaters_left_on' "$(codes bad.gcode)"
    sed -n '/^G1.*E/q;p' "$good" >bad.gcode
    matches ${engine}_only_a_beginning 'gcode_empty' "$(codes bad.gcode)"
    named ${engine}_plastic_for_a_smaller_model "too_much_plastic" "$good" --model thin.stl
    named ${engine}_plastic_for_a_larger_model "too_little_plastic" "$good" --model wide.stl
done

engine=cura good=$work/cura.gcode
damaged placeholder_header header_placeholder -e 's/^;TIME:.*/;TIME:6666/'
damaged no_filament_said header_missing -e '/^;Filament used/d'
damaged other_filament filament_mismatch -e 's/^;Filament used:.*/;Filament used: 9m/'
damaged more_layers_said layer_count -e 's/^;LAYER_COUNT:.*/;LAYER_COUNT:999/'
damaged missing_layer_marks layer_gap -e '/^;LAYER:2[0-4]$/d'
damaged relative_filament "e_jump filament_mismatch flow_too_high too_much_plastic" -e 's/^;LAYER:0$/&\nM83/'
damaged never_rises "height_mismatch z_stuck" -e '/^;LAYER:1$/,/^G91/s/ Z[0-9.]*//'
damaged below_the_bed below_bed -e '/^;LAYER:0$/,/^;LAYER:1$/s/Z0.2/Z-0.2/'

engine=prusa good=$work/prusa.gcode
if [ -e "$good" ]; then
    damaged no_time_said header_missing -e '/^; estimated printing time (normal/d'
    damaged other_filament filament_mismatch -e 's/^; filament used \[mm\].*/; filament used [mm] = 9000/'
    damaged a_hole_in_the_middle "filament_mismatch layer_gap" -e '/^;Z:6$/,/^;Z:6.6$/{/^G1/d}'
fi

: >empty.gcode
named an_empty_file "gcode_empty header_missing" empty.gcode
gzip -k -c cura.gcode >packed.gcode
matches a_packed_file_is_refused 'gzip.*gcode_packed' "$("$program" gcode check packed.gcode 2>&1)"
"$program" gcode check none.gcode >/dev/null 2>&1; same a_missing_file_is_not_found 3 $?

# What the schema lists is what docs/gcode-check.md explains.
missing=$(jq -r '.["$defs"].finding.properties.code.enum[]' "$root/schemas/gcode-report.schema.json" | while read -r code; do
    grep -qE "^\|[^|]*\b$code\b" "$root/docs/gcode-check.md" || echo "$code"
done)
same every_code_is_explained "" "$missing"
