/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making a mesh in which triangles share corners and edges and nothing else. */
#ifndef PRINT_REPAIR_ARRANGE_H
#define PRINT_REPAIR_ARRANGE_H

#include "print/mesh.h"

struct arrange_counts {
    size_t pairs;  /* of triangles that met in the first round */
    size_t cut;    /* triangles of the input that were replaced by pieces */
    size_t rounds; /* of cutting and rounding */
    size_t left;   /* pairs that still meet: 0 unless it gave up */
};

/**
 * Cuts triangles where they pass through, touch or overlap one another, until any two share
 * nothing, one corner, one whole edge, or all three corners (copies stay, each with its own
 * winding). Which way pieces face, and with it every winding number, stays as it was.
 *
 * Shape    any triangles, finite coordinates. Equal corners become one vertex, triangles without
 *          area and vertices without triangles go.
 * Units    new corners lie on a grid of 2^-24 of the power of two above the largest coordinate,
 *          8e-6 mm for 64 to 128 mm; corners of triangles that meet are moved onto it, the others
 *          keep theirs bit for bit. Where rounding does not settle (sheets that nearly coincide),
 *          shells that meet are moved by 16 to 512 steps, each whole, and all is tried again.
 * Result   *from (may be NULL): for each triangle of the result the number of the one in the input
 *          it is a piece of; malloc'ed, the caller frees. *counts may be NULL.
 * Cost     finding O(n log n), cutting O(pairs) for each round; usually 2 to 4 rounds.
 * Errors   ERR_INPUT mesh_not_finite; ERR_LIMIT mesh_too_tangled when triangles meet so often that
 *          cutting would not end soon, or no memory. The mesh is untouched then.
 * Threads  the same result for any number.
 * Source   iterated snap rounding after Zhou et al., Mesh Arrangements for Solid Geometry (2016);
 *          pieces are found exactly, then their corners are rounded.
 */
int mesh_arrange(struct mesh *mesh, uint32_t **from, struct arrange_counts *counts,
                 struct err *err) MUST_CHECK;

#endif
