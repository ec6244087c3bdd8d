/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The grid of the rebuild: filled in rebuild.c, cut into triangles in tetrahedra.c. */
#ifndef PRINT_REPAIR_GRID_H
#define PRINT_REPAIR_GRID_H

#include <stdbool.h>

#include "print/measure/bvh.h"

/* Beyond GRID_INSIDE: not known yet; near the surface; far from it, but to be asked all the same;
 * near the surface, and no neighbour speaks for it. */
enum { GRID_OUTSIDE, GRID_INSIDE, GRID_UNKNOWN, GRID_NEAR, GRID_WANTED, GRID_ALONE };

/* The bits of a point's byte while the grid is filled; afterwards only the state is left. */
enum {
    GRID_STATE = 7,
    GRID_SURE = 8,     /* so clearly that neighbours may follow */
    GRID_BAND = 16,    /* was GRID_NEAR at first */
    GRID_CROSSED = 32, /* the edge to the next point in x is crossed by a triangle; << 1, 2: y, z */
};

struct grid {
    struct bvh bvh;
    struct vec origin;
    double step;
    double thicken;
    size_t n[3];    /* points along each side */
    uint8_t *state; /* per point; the outermost ones are outside */
};

struct vec grid_point(const struct grid *g, int i, int j, int k);

/** Above 0 inside, below 0 outside. */
double grid_value(const struct grid *g, struct vec p);

/** Sets GRID_CROSSED where a triangle crosses the edge, or comes too close to tell. */
void grid_mark_crossings(struct grid *g);

/** Makes points GRID_ALONE that are near an open edge of the mesh as well as near the surface. */
int grid_guard_rims(struct grid *g, struct err *err) MUST_CHECK;

/**
 * From points with GRID_SURE to their neighbours near the surface, over edges that no triangle
 * crosses, 2 x stride steps far: winding numbers jump at the surface only, and change slowly where
 * no open edge is near.
 */
int grid_flood(struct grid *g, size_t stride, struct err *err) MUST_CHECK;

/** The closed surface between the inside and the outside points, into an empty mesh. */
int grid_surface(struct mesh *out, const struct grid *g, struct err *err) MUST_CHECK;

#endif
