/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The repair ladder: from whatever was read to a closed 2-manifold solid, gentlest step first. */
#ifndef PRINT_REPAIR_REPAIR_H
#define PRINT_REPAIR_REPAIR_H

#include <stdbool.h>

#include "print/repair/steps.h"
#include "print/repair/weld.h"

struct repair_counts {
    size_t welded; /* vertices that were equal, or within 1e-6 of the size */
    struct clean_counts cleaned;
    size_t flipped; /* triangles turned to agree with their neighbours */
    size_t split_edges, split_vertices, flaps;
    struct hole_counts holes;
    struct shell_counts shells;
    bool rebuilt;   /* a new surface was made around the winding number */
    bool thickened; /* open sheets were given half the minimum wall on each side */
};

struct repair_options {
    double size_mm;     /* longest side */
    double min_wall_mm; /* for sheets that must be thickened; 0: 0.8 */
    /* Called after each rung with its name and whether it changed anything; may be NULL. */
    void (*on_step)(void *user, const char *name, bool changed);
    void *user;
};

/**
 * Repairs in place; the mesh should lie around the origin in millimetres.
 *
 * Result   0: closed, consistently oriented, 2-manifold, also after an exact weld; 1: nothing solid
 *          could be made of it and mesh is empty.
 * Cost     O(n) when little is wrong; a rebuild takes seconds.
 * Errors   ERR_LIMIT no memory.
 */
int mesh_repair(struct mesh *mesh, struct repair_counts *counts,
                const struct repair_options *options, struct err *err) MUST_CHECK;

/**
 * Welds again what rounding to float has brought together and mends what that broke, without a
 * rebuild. Result 0 solid, 1 not.
 */
int mesh_settle(struct mesh *mesh, double size_mm, struct err *err) MUST_CHECK;

#endif
