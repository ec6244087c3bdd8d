/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions about points with float coordinates that are answered exactly: doubles with an error
 * bound first, whole numbers of any width where those cannot tell. */
#ifndef PRINT_MEASURE_EXACT_H
#define PRINT_MEASURE_EXACT_H

#include <stdbool.h>
#include <stdint.h>

/* What a determinant in doubles may be off by, as a share of the sum of its absolute products:
 * seven roundings of 2^-53 with room (Shewchuk 1997). */
#define EXACT_FILTER 1e-15

/** The sign of (b - a) x (c - a) . (d - a): 1 where d sees a, b, c clockwise, 0 in one plane. */
int exact_side(const float a[3], const float b[3], const float c[3], const float d[3]);

/** The sign of twice the area of a, b, c seen along one axis: x and y are the two others. */
int exact_turn(const float a[3], const float b[3], const float c[3], int x, int y);

/** The three points are on one line, or fewer than three. */
bool exact_collinear(const float a[3], const float b[3], const float c[3]);

/* A triangle as the pair test wants it: 48 bytes, no look-ups. */
struct exact_triangle {
    float at[3][3];
    uint32_t corner[3]; /* vertex numbers: equal numbers are one vertex */
};

enum exact_meeting {
    EXACT_APART, /* they share nothing, a whole corner or a whole edge, and that alone */
    EXACT_MEET,  /* anything more: crossing, touching, overlapping in one plane */
    EXACT_COPIES /* all three corners */
};

/**
 * How two triangles lie to one another, touching included. Triangles without area meet nothing.
 * Source   the definition of self-intersection in CGAL's Polygon Mesh Processing manual.
 */
enum exact_meeting exact_triangles(const struct exact_triangle *a, const struct exact_triangle *b);

#endif
