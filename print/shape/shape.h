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

/** Longest side of the box; 0 for an empty mesh. */
double mesh_longest(const struct mesh *mesh);

void mesh_move(struct mesh *mesh, struct vec by);

/** The rotation that brings `down` to point to -Z by the shortest way. */
struct rotation rotation_down(struct vec down);

struct flatten_result {
    double cut_mm; /* how much of the bottom went; 0: nothing was cut */
    double contact_before_mm2, contact_after_mm2;
};

/**
 * Cuts the bottom off at the lowest height, at most max_mm, that gains most of the contact there is
 * to be had, and closes the cut with lids that lie in one plane. The mesh is unchanged when a cut
 * gains little or cannot be closed. mesh must be closed. Cost that of one mesh_unite.
 */
int mesh_flatten(struct mesh *mesh, struct flatten_result *result, double max_mm,
                 struct err *err) MUST_CHECK;

struct decimate_options {
    size_t max_triangles; /* stop there; 0: as far as max_error_mm allows */
    double max_error_mm;  /* how far the surface may move, about; 0: as far as it must */
};

/**
 * Simplifies a closed 2-manifold in place by collapsing edges, cheapest first, each new vertex
 * where it is nearest to the planes that met there.
 *
 * Result   0 done; 1 the mesh is as it was: few enough already, not closed, or nothing may go. It
 *          stays closed and 2-manifold, and where it did not cross itself before it does not after:
 *          each collapse is tested against what lies near it. What may not be collapsed stays, so
 *          the count may end above max_triangles.
 * Cost     about 10 us a collapse of processor time, shared by all cores; 200 bytes a triangle.
 * Same result for any number of threads. Errors   ERR_LIMIT no memory; the mesh is then spoilt.
 */
int mesh_decimate(struct mesh *mesh, const struct decimate_options *options,
                  struct err *err) MUST_CHECK;

#endif
