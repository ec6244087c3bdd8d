/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where several parts go on one bed: boxes side by side, quarter turns allowed. */
#ifndef PRINT_SHAPE_PLATE_H
#define PRINT_SHAPE_PLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define PLATE_ITEMS_MOST 200

/* What is put on the bed: the box around its outline seen from above. */
struct plate_item {
    const char *name; /* for a refusal, and to tell equal boxes apart; or NULL */
    double size_mm[2];
};

/* Where the middle of its box goes, about the middle of the bed. */
struct plate_place {
    double at_mm[2];
    bool turned; /* by a quarter, counter-clockwise: its width lies along Y */
};

struct plate_options {
    double bed_mm[2];
    double gap_mm;    /* at least so much between two boxes */
    double margin_mm; /* around each box besides, from the bed's edge too: its brim */
};

/**
 * Places every box on the bed, close together, the whole in the middle of it.
 *
 * Shape    places: room for count, in the order of the items. count 1 .. PLATE_ITEMS_MOST.
 * Result   no two boxes nearer than gap + 2 margins, none nearer than a margin to the edge. The
 *          same places whatever order the items come in, but for items equal in size and name.
 * Errors   ERR_INPUT code plate_item_too_large: one is larger than the bed; plate_full: they do
 *          not go on it together, with the one that found no room; ERR_LIMIT.
 * Cost     200 boxes in 2 ms.
 * Source   the skyline rule for packing strips (lowest top edge first), for several widths of the
 *          strip and three orders of the boxes; the most compact of what fits is taken.
 */
int plate_arrange(struct plate_place *places, const struct plate_item *items, size_t count,
                  const struct plate_options *options, struct err *err) MUST_CHECK;

#endif
