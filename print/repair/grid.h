/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The grid of the rebuild: filled in rebuild.c, cut into triangles in tetrahedra.c. */
#ifndef PRINT_REPAIR_GRID_H
#define PRINT_REPAIR_GRID_H

#include <stdbool.h>

#include "print/measure/bvh.h"

/* Beyond GRID_INSIDE: not known yet; near the surface; far from it, but to be asked all the same.
 */
enum { GRID_OUTSIDE, GRID_INSIDE, GRID_UNKNOWN, GRID_NEAR, GRID_WANTED };

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

/** The closed surface between the inside and the outside points, into an empty mesh. */
int grid_surface(struct mesh *out, const struct grid *g, struct err *err) MUST_CHECK;

#endif
