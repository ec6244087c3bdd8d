/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The exact order of triangles around an edge that they share. */
#ifndef PRINT_REPAIR_AROUND_H
#define PRINT_REPAIR_AROUND_H

#include <stdbool.h>

#include "print/mesh.h"

struct around {
    uint32_t halfedge;
    bool forward; /* runs as the first one given does */
};

/**
 * Orders halfedges of one edge by rising angle, seen with the first one's direction coming towards
 * the eye, and starting with the first. The front of a forward triangle faces rising angles, that
 * of the others falling ones. Exact; triangles that lie on one another keep the order of their
 * numbers.
 */
void around_sort(struct around *list, const struct mesh *mesh, const uint32_t *halfedges,
                 size_t count);

#endif
