/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vertices round which nothing can meet: what spares a sound mesh nearly all tests of pairs. */
#ifndef PRINT_MEASURE_STARS_H
#define PRINT_MEASURE_STARS_H

#include "print/mesh.h"

/**
 * flat[v] becomes 1 where the triangles at vertex v are one closed fan that, seen along some axis,
 * goes once around v with all of them facing the same way; else 0.
 *
 * Seen so, their sectors lie side by side, and every point of one is below or above no point of
 * another: any two of them have the vertex in common, or an edge at it, and nothing else, exactly.
 * Of what is not flat nothing is known. Signs that doubles cannot tell for sure count as not flat.
 *
 * Cost     O(n): 25 ms for a million triangles on one thread, 15 bytes each.
 * Threads  the same for any number. Errors ERR_LIMIT no memory.
 */
int stars_flat(uint8_t *flat, const struct mesh *mesh, struct err *err) MUST_CHECK;

#endif
