/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points spread over a surface, each speaking for a share of it; the same points each time. */
#ifndef PRINT_MEASURE_SAMPLE_H
#define PRINT_MEASURE_SAMPLE_H

#include "print/measure/vec.h"

struct surface_sample {
    struct vec at;
    double area; /* of the surface that this point speaks for */
    uint32_t triangle;
};

/**
 * Lays about `budget` points over the triangles named by list (NULL: 0 .. count - 1), by area.
 * When count is at most budget each triangle with an area gets at least one.
 * Result   *out (caller frees) holds *made points in the list's order: neighbours in the list are
 * neighbours in the samples, which is what a tree's order is good for. Cost O(count).
 */
int surface_samples(struct surface_sample **out, size_t *made, const struct mesh *mesh,
                    const uint32_t *list, size_t count, size_t budget, struct err *err) MUST_CHECK;

#endif
