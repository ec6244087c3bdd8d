#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Other products than the figure: a lithophane is a closed thin plate that goes all the way to the queue, twice where two
# are ordered; a memorial figure is passed by nobody but a person.
. "$(dirname "$0")/lib.sh"
start_service up || exit
item() { get "/v1/orders/$1" | jq -r ".items[0]$2"; }
plate=$(post_order "$sample" plate "$(order_json lithophane 2)" | head -n -1 | jq -r .id)
memorial=$(post_order "$root/config/samples/robot.jpg" memorial "$(order_json memorial 1)" | head -n -1 | jq -r .id)
check a_plate_reaches_review wait_state "$plate" review 60
check a_memorial_reaches_review wait_state "$memorial" review 60
check the_plate_is_passed "$program" review pass "$(item "$plate" .id)" --reason "good picture"
check it_reaches_the_queue wait_state "$plate" queued 180
same two_parts_are_owed 2 "$(item "$plate" '.runs|map(select(.state=="queued"))|length')"
same with_a_code_each 2 "$(item "$plate" '.runs|map(.part_code)|unique|length')"

check its_files_are_exported "$program" order export "$plate" -o "$work/plate"
inspect() { "$program" mesh inspect "$work"/plate/*_prepared.3mf --json >"$work/inspect.json"; jq -r "$1" "$work/inspect.json"; }
same the_exported_plate_is_watertight true "$(inspect .input.watertight)"
same in_one_piece 1 "$(inspect .input.shells)"
between() { python3 -c "import sys; sys.exit(not $2 <= $1 <= $3)"; }
check its_foot_is_a_third_of_the_height_at_most between "$(inspect '.input.size_mm|[.[0],.[1]]|min')" 5 34
check of_the_height_it_was_ordered between "$(inspect '.input.size_mm[2]')" 99.5 100.5
matches its_gcode_passes_the_check 'pass|good|ok' "$("$program" gcode check "$work"/plate/*.gcode)"

# the thickness follows the picture: bright is thin, dark is thick, and both stay within what prints
python3 - "$work"/plate/*_prepared.stl >"$work/walls" <<'P'
import struct, sys
d = open(sys.argv[1], 'rb').read()
n = struct.unpack_from('<I', d, 80)[0]
v = [struct.unpack_from('<9f', d, 84 + 50 * i + 12) for i in range(n)]
axis = min((0, 1), key=lambda a: max(t[a + 3 * k] for t in v for k in range(3)) - min(t[a + 3 * k] for t in v for k in range(3)))
wide, high = 1 - axis, 2
cells = {}
for t in v:
    for k in range(3):
        x, y, z = t[3 * k + wide], t[3 * k + axis], t[3 * k + high]
        c = cells.setdefault((round(x), round(z)), [y, y])
        c[0] = min(c[0], y); c[1] = max(c[1], y)
zs = [z for _, z in cells]; xs = [x for x, _ in cells]
inner = [c[1] - c[0] for (x, z), c in cells.items()
         if min(xs) + 8 < x < max(xs) - 8 and min(zs) + 12 < z < max(zs) - 8 and c[1] > c[0]]
print(round(min(inner), 2), round(max(inner), 2))
P
read -r thin dark <"$work/walls"; echo "# walls $thin to $dark mm"
check its_thinnest_place_prints between "$thin" 0.6 2
check its_picture_has_depth between "$(python3 -c "print($dark-$thin)")" 1 6

check a_memorial_still_waits state_is "$memorial" review
same nobody_passed_it 0 "$(item "$memorial" '.reviews|length')"
same and_nothing_was_sliced null "$(item "$memorial" .slice)"
check a_person_passes_it "$program" review pass "$(item "$memorial" .id)" --reason "as the customer wished"
matches then_it_goes_on '^(approved|slicing|queued)$' "$(item "$memorial" .state)"
same on_the_exact_bytes_that_were_seen "$(item "$memorial" .model.threemf_hash)" "$(item "$memorial" .approved_hash)"
