/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the eye can see of a mesh from outside, by rays that lead out of it. */
#ifndef PRINT_MEASURE_VISIBLE_H
#define PRINT_MEASURE_VISIBLE_H

#include "print/measure/bvh.h"

/**
 * How many of `rays` directions of the half sphere around `towards` lead from p out of the mesh
 * without meeting it; stops counting at `enough` (0: counts all). The triangle `skip` and whatever
 * lies within 1e-6 of the mesh's size from p do not stand in the way: p may lie on the surface.
 */
unsigned bvh_escapes(const struct bvh *bvh, struct vec p, struct vec towards, uint32_t skip,
                     unsigned rays, unsigned enough);

/* Whether one of 24 directions on either side of triangle t leads out from its point p. */
int bvh_sees(const struct bvh *bvh, struct vec p, uint32_t t);

/**
 * seen[t] (triangle_count bytes) becomes 1 where triangle t can be seen from outside, from its
 * front or from its back: a ray leads out from its middle, or from that of a neighbour in the tree
 * that faces the same way. Cost     a few rays for sixteen triangles; 24 for each one that is
 * hidden. Threads  parallel inside; the same result whatever their number.
 */
void mesh_visible(uint8_t *seen, const struct bvh *bvh);

#endif
