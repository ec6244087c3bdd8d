/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lid that is being made finer and smoother; shared by holes.c, holes_refine.c, holes_fair.c. */
#ifndef PRINT_REPAIR_HOLES_H
#define PRINT_REPAIR_HOLES_H

#include <stdbool.h>

#include "print/measure/topology.h"
#include "print/measure/vec.h"

#define LID_INSIDE                                                                                 \
    3000 /* vertices at most inside a refined lid: CG stays under a tenth of a second */

/* Vertices 0 .. rim - 1 are those of the loop, in its order. */
struct patch {
    struct vec *at;
    double *scale; /* per vertex: length of the edges that suit it */
    uint32_t *triangles, *twin;
    size_t rim, vertices, count;
};

/* A loop and the lid over it. ring: triangles of the mesh with a corner on the rim. */
struct lid {
    const struct mesh *mesh;
    const uint32_t *loop;
    size_t corners;
    const uint32_t *triangles; /* of the plain lid, numbers of the mesh's vertices */
    size_t count;
    const uint32_t *ring;
    size_t ring_count;
    bool plain; /* is to stay as it is */
};

/**
 * Splits and flips the patch's triangles until their edges are as long as those of the rim.
 * Source Liepa, Filling Holes in Meshes (2003), sections 5 and 6.
 */
void patch_refine(struct patch *patch);

/**
 * A refined and faired lid, which goes on the way the surface around it goes.
 * Result 0 done; 1 the plain lid is the better one: few corners, a flat rim, surroundings that turn
 * away from the lid (the open foot of a figure), or what came out is no good. Owner patch_free.
 */
int patch_make(struct patch *out, const struct lid *lid, struct err *err) MUST_CHECK;

void patch_free(struct patch *patch);

/**
 * Replaces plain lids by smooth ones where those meet no other triangle. lids: those of which the
 * mesh's triangles from base on are made, in their order; triangles behind them stay the last.
 * mesh and ring are filled in here. Result *smooth: how many were replaced.
 */
int lids_smooth(struct mesh *mesh, size_t base, struct lid *lids, size_t count, size_t *smooth,
                struct err *err) MUST_CHECK;

#endif
