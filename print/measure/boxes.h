/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tree's triangles once more in boxes by fours, one coordinate of all four side by side: a box
 * is held against four others in six comparisons. */
#ifndef PRINT_MEASURE_BOXES_H
#define PRINT_MEASURE_BOXES_H

#include <string.h>

#include "print/measure/bvh.h"

typedef float four __attribute__((vector_size(16)));
typedef int32_t four_int __attribute__((vector_size(16)));

/* Boxes that are not there touch nothing. */
struct boxes_four {
    four low[3], high[3];
};

#define BOXES_LEVELS 16

/* On level 0 node i has the triangles of the places 4 i to 4 i + 3, above it nodes of the level
 * below by the same rule. The last level is one node. */
struct boxes {
    struct boxes_four *nodes;
    struct boxes_four *level[BOXES_LEVELS];
    size_t count[BOXES_LEVELS];
    int levels;
};

/** Over a tree with triangles. Owner boxes_free. Errors ERR_LIMIT no memory. */
int boxes_build(struct boxes *out, const struct bvh *bvh, struct err *err) MUST_CHECK;

void boxes_free(struct boxes *boxes);

/* Bit i: lane i of what a comparison gave. */
static inline unsigned four_bits(four_int lanes)
{
#ifdef __SSE__
    return (unsigned)__builtin_ia32_movmskps((four)lanes);
#else
    return (lanes[0] & 1u) | (lanes[1] & 2u) | (lanes[2] & 4u) | (lanes[3] & 8u);
#endif
}

/** Bit j: box i of a and box j of b have a point in common. */
static inline unsigned boxes_touch(const struct boxes_four *a, int i, const struct boxes_four *b)
{
    four_int in = (a->low[0][i] <= b->high[0]) & (b->low[0] <= a->high[0][i]);
    in &= (a->low[1][i] <= b->high[1]) & (b->low[1] <= a->high[1][i]);
    in &= (a->low[2][i] <= b->high[2]) & (b->low[2] <= a->high[2][i]);
    return four_bits(in);
}

#endif
