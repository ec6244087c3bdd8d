/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Notes for the report on where the rungs worked; used by repair.c. */
#ifndef PRINT_REPAIR_PLACES_H
#define PRINT_REPAIR_PLACES_H

#include "print/repair/repair.h"

/**
 * Adds up to eight boxes around the triangles from `first` on (and made[t] when it is not NULL),
 * those with the most triangles first.
 */
int places_note(struct repair_counts *counts, const char *rung, const struct mesh *mesh,
                const uint8_t *made, size_t first, struct err *err) MUST_CHECK;

/** made[t] = 1 for the triangles of now that are not in before with the same corners, bit for bit.
 */
int places_made(uint8_t *made, const struct mesh *now, const struct mesh *before,
                struct err *err) MUST_CHECK;

#endif
