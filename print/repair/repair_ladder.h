/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the ladder share: where it stands, and the rungs to fall back on. */
#ifndef PRINT_REPAIR_REPAIR_LADDER_H
#define PRINT_REPAIR_REPAIR_LADDER_H

#include "print/repair/repair.h"

#define LADDER_MOST_LOST 0.02   /* of the visible surface, before other ways are tried */
#define LADDER_MOST_SQUARES 4e6 /* some five seconds; see mesh_is_tangled */
#define LADDER_MOST_PLATES 5000 /* triangles that are given a wall each */

struct ladder {
    struct mesh *mesh;
    struct mesh twosided; /* surfaces given facing both ways, and films: no winding, but seen */
    uint8_t *kind;        /* of mesh's triangles, or NULL: all faces */
    double wall_mm, line_mm;
    struct repair_counts *counts;
    const struct repair_options *options;
    struct err *err;
};

/** Tells the caller that a rung is done. */
void ladder_done(const struct ladder *l, const char *name, bool changed);

/** Too tangled to be cut in sensible time is no failure while there is a rung below: 1. */
int ladder_give_way(const struct ladder *l, int failed);

/**
 * Share of what the eye could see of `given` that lies over a wall away from the result; by a few
 * thousand triangles.
 */
int ladder_lost_share(double *share, const struct ladder *l, const struct mesh *given) MUST_CHECK;

/**
 * The last rungs, each from what was given: walls for whole triangles, then the rebuild. The better
 * result stays. Result 0 solid, 1 not.
 */
int ladder_fall_back(struct ladder *l, const struct mesh *given, bool solid,
                     double lost) MUST_CHECK;

#endif
