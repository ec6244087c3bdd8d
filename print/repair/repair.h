/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The repair ladder: from whatever was read to a closed 2-manifold solid, gentlest step first. */
#ifndef PRINT_REPAIR_REPAIR_H
#define PRINT_REPAIR_REPAIR_H

#include <stdbool.h>

#include "print/repair/leaks.h"
#include "print/repair/solid.h"
#include "print/repair/steps.h"
#include "print/repair/weld.h"

#define REPAIR_PLACES 32

/* Where a rung worked: a box around it, and how many triangles it made, cut or dropped there. */
struct repair_place {
    const char *rung; /* the name that on_step gets; static text */
    float low[3], high[3];
    size_t triangles;
};

struct repair_counts {
    size_t welded; /* vertices that were equal, or within 1e-6 of the size */
    struct clean_counts cleaned;
    size_t flipped; /* triangles turned to agree with their neighbours */
    struct hole_counts holes;
    struct unite_counts united;
    struct leak_counts leaks;
    size_t sheets; /* open patches that were given a wall */
    struct shell_counts shells;
    bool rebuilt;   /* a new surface was made around the winding number */
    bool thickened; /* sheets were given a wall: one-sided, or in the rebuild on both sides */
    struct repair_place places[REPAIR_PLACES]; /* the largest of each rung */
    size_t place_count;
};

struct repair_options {
    double size_mm;     /* longest side */
    double min_wall_mm; /* for sheets that must be thickened; 0: 0.8 */
    double line_mm;     /* width of a printed line: what is smaller is a speck; 0: 0.4 */
    /* Called after each rung with its name and whether it changed anything; may be NULL. */
    void (*on_step)(void *user, const char *name, bool changed);
    void *user;
};

/**
 * Repairs in place; the mesh should lie around the origin in millimetres.
 *
 * Result   0: closed, consistently oriented, 2-manifold and free of self-intersections, also after
 *          an exact weld; 1: nothing solid could be made of it and mesh is empty. Triangles where
 *          nothing was wrong keep their corners bit for bit.
 * Cost     O(n) and the search for crossings when nothing is wrong; a rebuild takes seconds.
 * Errors   ERR_LIMIT no memory.
 */
int mesh_repair(struct mesh *mesh, struct repair_counts *counts,
                const struct repair_options *options, struct err *err) MUST_CHECK;

/**
 * The last look, after the mesh was moved, scaled or cut: welds what rounding to float has brought
 * together and unites again where that broke anything. Result 0 solid and free of
 * self-intersections, 1 not.
 */
int mesh_settle(struct mesh *mesh, double size_mm, struct err *err) MUST_CHECK;

#endif
