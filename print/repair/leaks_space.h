/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The empty space around and inside a solid as bitmaps; used by leaks.c. */
#ifndef PRINT_REPAIR_LEAKS_SPACE_H
#define PRINT_REPAIR_LEAKS_SPACE_H

#include "print/measure/layers_grid.h"

/* Zero-initialise; space_free releases. Cells are pixel_mm cubes. */
struct space {
    struct layer_grid grid;
    uint64_t *open;   /* reached from outside with a cell of clearance, and what is near that */
    uint64_t *hollow; /* not reached; never both */
    size_t hollows;
    double hollow_mm3;
};

/**
 * Floods the empty space of a closed solid from outside, one cell away from its walls. What stays
 * dry over `least_mm3` in one piece is a hollow. With hollows == 0 the bitmaps are not filled.
 */
int space_build(struct space *out, const struct mesh *mesh, double cell_mm, double least_mm3,
                struct err *err) MUST_CHECK;

void space_free(struct space *space);

enum space_kind { SPACE_NONE, SPACE_OPEN, SPACE_HOLLOW };

/** What the cell around p is. */
enum space_kind space_at(const struct space *space, struct vec p);

#endif
