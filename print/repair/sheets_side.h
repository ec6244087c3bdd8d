/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two files of the sheets share: sums over each sheet, and the choice of its front. */
#ifndef PRINT_REPAIR_SHEETS_SIDE_H
#define PRINT_REPAIR_SHEETS_SIDE_H

#include <stdbool.h>

#include "print/measure/bvh.h"

struct sheet_sum {
    double low[3], high[3];
    double reach; /* farthest from the solid */
    double area;
    double looked, front, back; /* area that was looked at; the same times rays that got out */
    size_t seen, count;
    bool keeps;  /* gets a wall */
    bool turned; /* its better front is the back of its triangles */
};

struct sheets {
    struct mesh *loose;
    const struct bvh *solid; /* with dipoles; NULL: there is none */
    const struct bvh *before;
    double wall;
    uint32_t *patch; /* per triangle */
    struct sheet_sum *sums;
    size_t count;
};

#define SHEET_RAYS 12 /* that are sent out from each side of a point */

/** Whether the count'th triangle of a sheet is one of those that are looked at. */
bool sheets_is_vote(size_t count);

/** In how many parts a triangle is looked at. */
int sheets_parts(const struct mesh *mesh);

/** The middle of part i. */
struct vec sheets_middle(const struct mesh *mesh, size_t t, int i, int parts);

/**
 * Sets `turned` of the sheets that get a wall: the side that is seen more is the front, but where
 * sheets lie on one another their walls go the same way, or each would bury the other's front.
 */
int sheets_choose_sides(struct sheets *s, struct err *err) MUST_CHECK;

#endif
