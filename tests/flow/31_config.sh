#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `statuette config check`: the files that come with the program are clean, and in a folder of broken ones each fault is
# named at its place, and nothing else is.
. "$(dirname "$0")/lib.sh"
unset STATUETTE_CONFIG
export NO_COLOR=1
check the_built_in_files_are_clean "$program" config check
check so_is_the_folder_they_come_from "$program" config check "$root/config"
"$program" config check "$work/nowhere" >/dev/null 2>&1; same a_folder_that_is_not_there_is_said 3 $?
"$program" config check a b >/dev/null 2>&1; same two_folders_are_too_many 2 $?

dir=$work/config
mkdir -p "$dir"/{printers,materials,processes,providers,templates,engines,printer}
put() { cat >"$dir/$1"; }
# each fault: the file, its place, and what must be said of it
wanted=()
fault() { wanted+=("$1|$2|$3"); }

put prices.json <<<'{"pla": 20}'
fault prices.json "" "is not read"
put printers/cut.json <<<'{"id": "cut", "name": "Cut off", '
fault printers/cut.json "" "^broken JSON at byte"
put printers/other.json <<<'{"id": "another", "name": "O", "inherits": "k2plus"}'
fault printers/other.json /id "another.*name says other"
put "printers/My Printer.json" <<<'{"id": "my", "name": "M", "inherits": "k2plus"}'
fault "printers/My Printer.json" "" "no id"
put printers/note.txt <<<'see the wiki'
fault printers/note.txt "" "end in .json"
fault printer "" "folders are printers"
put costs.json <<'J'
{"currency": "EUR", "kwh_minor": 30, "labour": {"hour_minor": 2400}, "packing": {"piece_minor": 0, "order_minor": 0},
 "printer": {"machine_hour_minor": 40, "power_w": 100}, "material": {"price_minor_per_kg": 2000}, "price": {"charm_minor": 90}}
J
fault costs.json "" "charm_minor has to be less"
put estimates.json <<<'{"slices": 1}'
for member in figures filament time spread examples; do fault estimates.json "" "lacks the member $member"; done
put printers/many.json <<'J'
{"id": "many", "name": "", "inherits": "ender3v3se", "bed_mm": [10, "220", 250], "nozzle_mm": 0, "flavour": "reprap",
 "thumbnails": [[96, 96], [1200, 900]], "colour": "red", "limits": {"jerk": 8},
 "process": {"wall_count": 3, "speeds_mm_s": {"travel": 900, "outer_wall": 0}},
 "engines": {"cura": {"line_width": 0.5, "z_seam_type": "back"}, "prusa": {"perimeterz": 3, "post_process": "rm"}, "slic3r": {}}}
J
fault printers/many.json /name "at least this many characters: 1"
fault printers/many.json /bed_mm/0 "at least 20"
fault printers/many.json /bed_mm/1 "type number"
fault printers/many.json /nozzle_mm "at least 0.1"
fault printers/many.json /flavour "one of marlin, klipper, prusa"
fault printers/many.json /thumbnails/1/0 "at most 640"
fault printers/many.json /thumbnails/1/1 "at most 640"
fault printers/many.json "" "unknown member: colour; known are id, name"
fault printers/many.json /limits "unknown member: jerk"
fault printers/many.json /process "unknown member: wall_count; known are speeds_mm_s"
fault printers/many.json /process/speeds_mm_s/outer_wall "at least 1"
fault printers/many.json /process/speeds_mm_s/travel "900.*speed_xy_mm_s is 500"
fault printers/many.json /engines/cura/line_width "no setting that CuraEngine reads"
fault printers/many.json /engines/prusa/perimeterz "no setting that PrusaSlicer"
fault printers/many.json /engines/prusa/post_process "would run a program"
fault printers/many.json /engines "unknown member: slic3r; known are cura, prusa"
put printers/bare.json <<<'{"id": "bare", "name": "Bare", "flavour": "marlin", "limits": {"speed_xy_mm_s": 100}}'
for member in bed_mm nozzle_mm nozzle_max_c bed_max_c process start_gcode end_gcode; do
    fault printers/bare.json "" "lacks the member $member$"
done
for member in speed_z_mm_s speed_e_mm_s acceleration_xy_mm_s2 acceleration_z_mm_s2 acceleration_e_mm_s2 jerk_xy_mm_s; do
    fault printers/bare.json /limits "lacks the member $member$"
done
put printers/codes.json <<'J'
{"id": "codes", "name": "Codes", "inherits": "generic-marlin",
 "start_gcode": ["M104 S{nozzle_c}", "M109 S[material_print_temperature]", "G1 X{bed_w}", "START_PRINT", "G1 Z5\nM112", "M302 P1"],
 "end_gcode": ["M104 S0", "M104 S{nozzle_c}", "G1 Y{bed_y"]}
J
fault printers/codes.json /start_gcode/1 "\\[material_print_temperature\\].*known are \\{nozzle_c\\}"
fault printers/codes.json /start_gcode/2 "\\{bed_w\\}"
fault printers/codes.json /start_gcode/3 "START_PRINT.*flavour klipper"
fault printers/codes.json /start_gcode/4 "line end"
fault printers/codes.json /start_gcode/5 "M302 allows extruding with a cold nozzle.*refuses"
fault printers/codes.json /start_gcode "nozzle but does not wait.*M109"
fault printers/codes.json /start_gcode "does not heat the bed.*M190"
fault printers/codes.json /end_gcode/2 "\\{bed_y"
fault printers/codes.json /end_gcode "leaves the nozzle hot"
fault printers/codes.json /end_gcode "leaves the bed hot"
put printers/homeless.json <<<'{"id": "homeless", "name": "H", "inherits": "generic-marlin",
 "start_gcode": ["M190 S{bed_c}", "M109 S{nozzle_c}"]}'
fault printers/homeless.json /start_gcode "does not home"
put materials/orphan.json <<<'{"id": "orphan", "name": "Orphan", "inherits": "nylon"}'
fault materials/orphan.json /inherits "no material \"nylon\"; there are: .*hyper-pla"
put materials/peek.json <<<'{"id": "peek", "name": "PEEK", "inherits": "pla", "nozzle_c": 400, "first_layer_nozzle_c": 400, "bed_c": 120}'
put materials/free.json <<<'{"id": "free", "name": "F", "inherits": "pla", "currency": "euro", "process": {"speed_percent": 1000, "retraction": {"lift_mm": 1}}}'
fault materials/free.json /currency "match"
fault materials/free.json /process/speed_percent "at most 300"
fault materials/free.json /process/retraction "unknown member: lift_mm; known are length_mm, speed_mm_s, hop_mm"
put processes/a.json <<<'{"id": "a", "name": "A", "inherits": "b"}'
put processes/b.json <<<'{"id": "b", "name": "B", "inherits": "a"}'
fault processes/a.json /inherits "inherits itself: a > b > a"
fault processes/b.json /inherits "inherits itself: b > a > b"
put processes/thick.json <<<'{"id": "thick", "name": "T", "inherits": "figure", "process": {"layer_height_mm": 0.5, "first_layer_height_mm": 0.45, "line_width_mm": 1.2, "outer_wall_width_mm": 0.12, "infill_pattern": "stars"}}'
fault processes/thick.json /process/layer_height_mm "0.5.*0.4 mm, allows 0.32"
fault processes/thick.json /process/first_layer_height_mm "0.45.*allows 0.32"
fault processes/thick.json /process/line_width_mm "1.2.*0.25 to 0.4 mm, allow 0.1875 to 0.8"
fault processes/thick.json /process/outer_wall_width_mm "0.12.*allow 0.1875 to 0.8"
fault processes/thick.json /process/infill_pattern "one of grid, lines.*concentric$"
put providers/nobody.json <<<'{"id": "nobody", "prices": {}}'
fault providers/nobody.json "" "no provider that there is: .*tripo"
fault providers/nobody.json /prices "lacks the member base"
put engines/cura.json <<<'{"engine": "cura", "settings": {"layer_height": [1]}}'
fault engines/cura.json "" "is not read"
fault engines/cura.json /settings/layer_height "a text, a number"
put templates/lost.json <<'J'
{"price": {"charm_minor": 50, "round_up_to_minor": 10}, "id": "lost", "name": "L", "description": "", "provider": {"route": ["relief", "crystal-ball"], "candidates": 1,
 "providers": {"ouija": {}}}, "photos": {"min": 2, "max": 1, "needs_subject": true},
 "height_mm": {"min": 40, "max": 150, "default": 8}, "style": {"allowed": ["figure", "cubist"], "default": "baroque"},
 "material": {"allowed": ["pla", "mud", "peek"], "default": "pla"}, "process": {"allowed": ["thick", "woven"], "default": "thick"},
 "printer_class": "ender9", "gates": ["review", "pope"], "auto_pass": {"policy": "p", "verdicts": ["maybe"]},
 "privacy": {"photo_days": 30}}
J
fault templates/lost.json /price "charm_minor has to be less"
fault templates/lost.json /provider/route/1 "no provider crystal-ball; there are: .*relief"
fault templates/lost.json /provider/providers/ouija "no provider ouija"
fault templates/lost.json /photos "min is more than max"
fault templates/lost.json /height_mm "default height is outside"
fault templates/lost.json /style "not among those allowed"
fault templates/lost.json /style/allowed/1 "no style cubist; there are figure and lithophane"
fault templates/lost.json /material/allowed/1 "no material mud; there are: "
fault templates/lost.json /process/allowed/1 "no process woven; there are: .*figure"
fault templates/lost.json /printer_class "no printer ender9; there are: .*ender3v3se"
fault templates/lost.json /gates/1 "one of photo, review, customer"
fault templates/lost.json /auto_pass/verdicts/0 "one of pass, revise"
fault templates/lost.json /privacy "lacks the member model_days"
put templates/hot.json <<'J'
{"id": "hot", "name": "Hot", "description": "", "provider": {"route": ["relief"], "candidates": 1},
 "photos": {"min": 1, "max": 1, "needs_subject": true}, "height_mm": {"min": 40, "max": 150, "default": 80},
 "style": {"allowed": ["figure"], "default": "figure"}, "material": {"allowed": ["pla", "peek"], "default": "pla"},
 "process": {"allowed": ["thick2"], "default": "thick2"}, "printer_class": "k2plus", "gates": [], "auto_pass": null,
 "privacy": {"photo_days": 1, "model_days": 1}}
J
fault templates/hot.json /material/allowed/1 "too hot.*peek wants 400 and 120 C; k2plus reaches 350 and 120"
fault templates/hot.json /process/allowed/0 "layer_height_mm of thick2 is 0.3; the nozzle of k2plus, 0.25 mm, allows 0.2"
put printers/k2plus.json <<<'{"id": "k2plus", "inherits": "k2plus", "nozzle_mm": 0.25}'
put processes/thick2.json <<<'{"id": "thick2", "name": "T", "inherits": "figure", "process": {"layer_height_mm": 0.3}}'

"$program" config check "$dir" --json >"$work/report.json"
same a_folder_with_faults_ends_in_5 5 $?
jq -r --arg dir "$dir/" '.faults[] | "\(.file | ltrimstr($dir))|\(.path)|\(.message)"' "$work/report.json" >"$work/told"
missing=
for w in "${wanted[@]}"; do
    IFS='|' read -r file path what <<<"$w"
    grep -F "$file|$path|" "$work/told" | cut -d'|' -f3- | grep -qE -- "$what" || missing+=" [$w]"
done
same each_fault_is_named_at_its_place "" "$missing"
same and_nothing_else_is "${#wanted[@]}" "$(wc -l <"$work/told")"
text=$("$program" config check "$dir")
matches people_read_it_as_lines "printers/many.json /bed_mm/0: must be at least 20" "$text"
matches and_a_summary "^[0-9]+ files read, ${#wanted[@]} faults in [0-9]+$" "$text"
same quiet_says_it_by_its_code "5 " "$("$program" config check "$dir" --quiet; echo -n $? )$(:) "
STATUETTE_CONFIG=$dir "$program" config check >/dev/null; same the_setting_names_the_folder_too 5 $?
