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
 * Units    new corners lie on the grid of mesh_grid_step; corners of triangles that meet are moved
 *          onto it, the others keep theirs bit for bit. Where rounding does not settle (sheets that
 *          nearly coincide), shells that meet are moved by 4 to 128 steps, each whole, and all is
 *          tried again.
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

/**
 * The grid of new corners: 2^-15 mm, or 2^-22 of the power of two above the largest coordinate
 * where that is more (over 128 mm). All its points are floats wherever the part lies on a bed of
 * 512 mm. 0 when a coordinate is no finite number.
 */
double mesh_grid_step(const struct mesh *mesh);

/** Rounds all corners to the grid. */
void mesh_snap(struct mesh *mesh, double step);

#endif
