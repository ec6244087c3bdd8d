/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bringing a solid into its place on the bed: which way up, how large, on which foot. */
#ifndef PRINT_SHAPE_SHAPE_H
#define PRINT_SHAPE_SHAPE_H

#include "print/measure/vec.h"

/* Rows of a rotation. */
struct rotation {
    struct vec row[3];
};

#define ROTATION_NONE ((struct rotation){{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}})

void mesh_rotate(struct mesh *mesh, const struct rotation *rotation);
void mesh_scale(struct mesh *mesh, double factor);
void mesh_move(struct mesh *mesh, struct vec by);

/** The rotation that brings `down` to point to -Z by the shortest way. */
struct rotation rotation_down(struct vec down);

struct flatten_result {
    double cut_mm; /* how much of the bottom went; 0: nothing was cut */
    double contact_before_mm2, contact_after_mm2;
};

/**
 * Cuts the bottom off at the lowest height, at most max_mm, that gains most of the contact there is
 * to be had, and closes the cut. The mesh is unchanged when a cut gains little or cannot be closed.
 * mesh must be closed; it is cut with vertices that both sides of each cut edge share.
 */
int mesh_flatten(struct mesh *mesh, struct flatten_result *result, double max_mm,
                 struct err *err) MUST_CHECK;

/**
 * Simplifies to about max_triangles; what meshoptimizer breaks is mended, and undone when it cannot
 * be. Result 0 done, 1 the mesh was left as it was.
 */
int mesh_decimate(struct mesh *mesh, size_t max_triangles, double size_mm,
                  struct err *err) MUST_CHECK;

#endif
