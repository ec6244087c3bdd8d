/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points between two grid points of one state, where a sharp edge of the input passes unseen; found
 * in rebuild_between.c, used by rebuild_split.c. A point's number is its place among the betweens
 * behind those of the grid. */
#ifndef PRINT_REPAIR_REBUILD_BETWEEN_H
#define PRINT_REPAIR_REBUILD_BETWEEN_H

#include "print/repair/rebuild_surface.h"

struct pair {
    size_t end[2];   /* lower number first */
    uint32_t vertex; /* of the surface, where one is known */
};

struct pairs {
    struct pair *at;
    size_t count, room;
};

int pairs_compare(const void *a, const void *b);

int pairs_add(struct pairs *list, size_t a, size_t b, uint32_t vertex, struct err *err) MUST_CHECK;

/** By their ends, each once. */
void pairs_sort(struct pairs *list);

/** Looks at the edges of the tetrahedra with sharp polygons, and at those around what it found. */
int between_look(struct surface *s) MUST_CHECK;

/** Whether a point of the grid or between lies inside. */
bool between_inside(const struct surface *s, size_t number);

/** The point between a and b, or NULL. */
const struct between *between_of(const struct surface *s, size_t a, size_t b);

/** The numbers of a tetrahedron's corners; key: 8 x its cell + its place there. */
void between_corners(size_t number[4], const struct surface *s, uint64_t key);

/** The keys of the tetrahedra around an edge of the grid; returns how many, at most six. */
int between_around(uint64_t keys[6], const struct surface *s, const size_t ends[2]);

#endif
