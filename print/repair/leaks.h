/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hollows that the outside reaches only through openings too small to print: filled. */
#ifndef PRINT_REPAIR_LEAKS_H
#define PRINT_REPAIR_LEAKS_H

#include "print/mesh.h"

struct leak_counts {
    double hidden_share; /* of the surface that faces outward, before */
    size_t hollows;      /* that were found behind leaks */
    double hollow_mm3;   /* what the solid gained by filling them */
    size_t dropped;      /* triangles of their walls */
    size_t lids;         /* leaks that were closed */
};

/**
 * Fills hollows whose wall hangs together with the outer one through leaks: a ball of opening_mm
 * finds no way out of them. Their walls go and the leaks get lids; the outer surface keeps its
 * triangles and a dent where the leak was. Cavities without any leak stay for mesh_sort_shells,
 * hollows under 20 mm3 or a thousandth of the solid as they are, and so does what can be seen
 * through many small openings (a cage).
 *
 * Inputs   a closed solid in millimetres (after mesh_unite); opening_mm 0: 0.5. Openings up to
 *          opening_mm count as leaks, from twice as wide on they never do.
 * Result   0 done; 1 the hollows could not be filled cleanly and mesh is as it was. Either way the
 *          mesh is a closed solid free of self-intersections if it was one.
 * Cost     2,000 triangles looked at where under 2 % of the surface is hidden. Else a bitmap with
 *          cells of opening_mm / 2: some 0.3 s at 100 mm.
 * Errors   ERR_LIMIT no memory; mesh untouched.
 */
int mesh_close_leaks(struct mesh *mesh, double opening_mm, struct leak_counts *counts,
                     struct err *err) MUST_CHECK;

#endif
