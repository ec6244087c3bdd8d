/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points on sharp edges and corners of the rebuild's input: rebuild_feature.c finds them for the
 * polygons of rebuild_sharp.c. */
#ifndef PRINT_REPAIR_REBUILD_FEATURE_H
#define PRINT_REPAIR_REBUILD_FEATURE_H

#include "print/repair/rebuild_surface.h"

/* What a tetrahedron holds of the surface: its corners in a ring, and the tetrahedron. */
struct polygon {
    uint32_t corner[4];
    size_t number[4]; /* grid points that its corners' edges end in */
    int corners, numbers;
};

/** The polygon that begins with triangle t. */
struct polygon surface_polygon(const struct surface *s, size_t t);

/** Of the input where vertex v lies, from solid to empty. */
struct vec feature_normal(const struct surface *s, uint32_t v);

/** Where a sharp edge passes the side of a tetrahedron between the vertices u and v on it. */
struct vec surface_bend(const struct surface *s, uint32_t u, uint32_t v);

/** On the edge, or in the corner, that passes a polygon; ring: its corners and bends. */
struct vec surface_middle(const struct surface *s, const struct polygon *p, const uint32_t *ring,
                          int count);

#endif
