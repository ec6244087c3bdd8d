/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making a solid hollow, and letting out what would be caught in it. */
#ifndef PRINT_SHAPE_HOLLOW_H
#define PRINT_SHAPE_HOLLOW_H

#include "print/mesh.h"

struct hollow_options {
    double wall_mm;
    unsigned drain_count;    /* 0: closed hollows, for filament; resin and powder must come out */
    double drain_mm;         /* diameter */
    double least_volume_mm3; /* smaller hollows stay solid */
};

#define HOLLOW_OPTIONS_DEFAULT                                                                     \
    ((struct hollow_options){.wall_mm = 2, .drain_mm = 3.5, .least_volume_mm3 = 400})

struct hollow_result {
    unsigned cavities, drains;
    double volume_before_mm3, volume_after_mm3;
    double wall_least_mm; /* least distance of the inner surface from the outer one */
};

/**
 * Hollows a closed, outward-facing solid that stands on its lowest z, in place. The inner surface
 * lies wall_mm below the outer one (at least 0.9 of it everywhere); what is thinner than two walls
 * stays solid. Drains are upright cylinders that come out as low as can be, far from each other;
 * with drains, hollows that none of them reaches stay solid.
 *
 * Result   0 done; 1 nothing is thick enough, or no drain can be placed, or the union failed: mesh
 *          unchanged.
 * Cost     a few seconds for 100 mm and a wall of 2 mm: the grid is wall_mm / 2.5 fine.
 * Errors   ERR_INPUT code hollow_invalid; ERR_LIMIT no memory.
 */
int mesh_hollow(struct mesh *mesh, struct hollow_result *result,
                const struct hollow_options *options, struct err *err) MUST_CHECK;

#endif
