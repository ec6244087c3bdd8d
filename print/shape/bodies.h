/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Closed bodies that are joined with a figure or taken away from it: boxes, prisms, stacks of
 * rings. */
#ifndef PRINT_SHAPE_BODIES_H
#define PRINT_SHAPE_BODIES_H

#include "print/measure/vec.h"

/* One height of a stack: its outline moved inwards by inset. */
struct level {
    double z, inset;
};

/** Adds an axis-parallel box. Errors ERR_LIMIT, as all here. */
int body_add_box(struct mesh *mesh, struct vec low, struct vec high, struct err *err) MUST_CHECK;

/**
 * Adds a convex body: the outline (count points, counter-clockwise) at each level from low to high,
 * side walls between, a lid at both ends. inwards[i]: unit direction in which point i moves by a
 * level's inset.
 */
int body_add_stack(struct mesh *mesh, const double (*outline)[2], const double (*inwards)[2],
                   size_t count, const struct level *levels, size_t level_count,
                   struct err *err) MUST_CHECK;

/** Adds an upright cylinder of 48 sides, wide enough to hold the circle. */
int body_add_cylinder(struct mesh *mesh, struct vec bottom, double radius, double height,
                      struct err *err) MUST_CHECK;

/**
 * Adds a simple polygon as a prism from z low to high; a clockwise polygon becomes a prism inside
 * out. Result 1: the polygon has no area or cannot be cut into ears, and nothing was added.
 */
int body_add_prism(struct mesh *mesh, const double (*outline)[2], size_t count, double low,
                   double high, struct err *err) MUST_CHECK;

#endif
