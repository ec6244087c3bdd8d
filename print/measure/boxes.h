/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tree's triangles once more in boxes by fours, one coordinate of all four side by side: a box
 * is held against four others in six comparisons. */
#ifndef PRINT_MEASURE_BOXES_H
#define PRINT_MEASURE_BOXES_H

#include <stdbool.h>
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

/** Over a tree whose triangles have their places; of none there is one empty node. NULL: no memory.
 * Owner boxes_free. */
struct boxes *boxes_build(const struct bvh *bvh);

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

static inline four four_max(four a, four b)
{
#ifdef __SSE__
    return __builtin_ia32_maxps(a, b);
#else
    four_int is = a > b;
    return (four)(((four_int)a & is) | ((four_int)b & ~is));
#endif
}

/* A ray in floats, for boxes alone: made so that none is missed that doubles would hit. */
struct boxes_ray {
    float past_low[3], past_high[3]; /* the origin, moved on and back by what floats may be off */
    float inverse[3];
    bool back[3]; /* runs against the axis */
};

#define BOXES_MORE 1.000002f /* a factor no less than the roundings of a distance */

static inline struct boxes_ray boxes_ray_make(const struct bvh *bvh, const double origin[3],
                                              const double direction[3])
{
    struct boxes_ray r;
    double most = 0;
    for (int k = 0; k < 3; k++) {
        double low = fabs((double)bvh->nodes[0].low[k]), high = fabs((double)bvh->nodes[0].high[k]);
        most = fmax(most, fmax(fabs(origin[k]), fmax(low, high)));
    }
    for (int k = 0; k < 3; k++) {
        double d = fabs(direction[k]) < 1e-18 ? 1e-18 : direction[k];
        r.past_low[k] = (float)(origin[k] + 1e-6 * most);
        r.past_high[k] = (float)(origin[k] - 1e-6 * most);
        r.inverse[k] = (float)(1 / d);
        r.back[k] = d < 0;
    }
    return r;
}

/** Bit i: the ray is in box i somewhere between the two distances; enter: from where on. */
static inline unsigned boxes_entered(four *enter, const struct boxes_four *b,
                                     const struct boxes_ray *r, float from, float until)
{
    four in = {from, from, from, from}, out = {-until, -until, -until, -until};
    for (int k = 0; k < 3; k++) {
        four low = (b->low[k] - r->past_low[k]) * r->inverse[k];
        four high = (b->high[k] - r->past_high[k]) * r->inverse[k];
        in = four_max(r->back[k] ? high : low, in);
        out = four_max(r->back[k] ? -low : -high, out);
    }
    *enter = in;
    return four_bits(in <= -out * BOXES_MORE);
}

#endif
