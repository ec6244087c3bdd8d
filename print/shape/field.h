/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Depths below a surface on a grid of points, and the surface of equal depth. */
#ifndef PRINT_SHAPE_FIELD_H
#define PRINT_SHAPE_FIELD_H

#include <stdbool.h>

#include "print/measure/bvh.h"

struct field {
    struct vec low;
    double step, reach; /* depths are exact up to reach; beyond it they are reach */
    int n[3];
    float *depth; /* above 0 inside; x runs fastest */
};

/**
 * Measures the depth of grid points below a closed surface; the outermost points are outside.
 * Cost one search for the nearest triangle a point, and a winding number for those near the
 * surface; all processors; same result for any number. Owner field_free. Errors ERR_LIMIT.
 */
int field_make(struct field *out, const struct bvh *bvh, double step, double reach,
               struct err *err) MUST_CHECK;

void field_free(struct field *field);

static inline size_t field_index(const struct field *f, int x, int y, int z)
{
    return ((size_t)z * (size_t)f->n[1] + (size_t)y) * (size_t)f->n[0] + (size_t)x;
}

static inline struct vec field_point(const struct field *f, int x, int y, int z)
{
    return (struct vec){f->low.x + x * f->step, f->low.y + y * f->step, f->low.z + z * f->step};
}

/** Closed outward-facing surfaces around all that is deeper than depth; maybe none. */
int field_surface(struct mesh *out, const struct field *field, double depth,
                  struct err *err) MUST_CHECK;

#endif
