/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last rung: a new closed surface around what the winding number calls inside. */
#ifndef PRINT_REPAIR_REBUILD_H
#define PRINT_REPAIR_REBUILD_H

#include <stdbool.h>

#include "print/mesh.h"

struct rebuild_options {
    unsigned cells;    /* along the longest side, 40 .. 400; fewer where the surface is vast */
    double thicken_mm; /* solid, too, within this distance of the surface; 0: only what is inside */
};

/**
 * Makes a closed 2-manifold mesh from any triangles. A grid point is inside where the generalized
 * winding number is over 1/2; the surface is cut out of the grid by tetrahedra (six to a cell, all
 * alike, so that no face is ambiguous) with its vertices where the input surface crosses their
 * edges.
 *
 * Result   out may be empty: nothing is inside. Its vertices are a hundredth of an edge or more
 *          apart from any grid point, so no two fall together in a float.
 * Cost     winding numbers of the cells near the surface and of every fourth point elsewhere: about
 *          a million at 200 cells, some 5 us each. Memory 5 bytes a grid point and the output.
 */
int mesh_rebuild(struct mesh *out, const struct mesh *in, const struct rebuild_options *options,
                 struct err *err) MUST_CHECK;

#endif
