/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How far the surface that the eye saw has moved. */
#ifndef PRINT_MEASURE_COMPARE_H
#define PRINT_MEASURE_COMPARE_H

#include "print/measure/bvh.h"

struct deviation {
    double mean_mm, max_mm;
    double max_at[3];   /* a point of the input's surface, max_mm away from the output */
    double moved_share; /* of the input's area: triangles that are not in the output bit for bit */
    size_t samples;     /* distances that were measured */
};

/**
 * Distances from the visible surface of `before` to `after`.
 *
 * Triangles that are in both bit for bit (in any order, turned or not) have not moved. Over the
 * rest up to 30,000 points (by its share of the area, 3,000 at least) are spread, each triangle
 * getting one while they suffice, and the
 * distance to `after` is exact for each. Points that moved by more than 1e-4 mm and that no ray
 * out of the mesh reaches are left out: hidden walls may go. The mean is over the visible surface,
 * unmoved triangles included; the maximum is over the points, so of what lies between them it can
 * miss a part.
 *
 * Inputs   tree: of `after`, or NULL to have one built when it is needed.
 * Result   per_triangle (NULL, or after->triangle_count numbers) becomes the distance of each
 * triangle of `after` to the surface of `before`, at its middle or a corner, whichever is more.
 * Cost     unmoved: 0.05 s for a million triangles. Else a tree of each and the samples.
 * Threads  parallel inside; the same result whatever their number. Errors ERR_LIMIT no memory.
 */
int mesh_deviation(struct deviation *out, float *per_triangle, const struct mesh *before,
                   const struct mesh *after, const struct bvh *tree, struct err *err) MUST_CHECK;

#endif
