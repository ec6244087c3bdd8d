/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making one vertex of equal ones and throwing away triangles that are none. */
#ifndef PRINT_REPAIR_WELD_H
#define PRINT_REPAIR_WELD_H

#include "print/mesh.h"

/**
 * Makes one vertex of all that have the same three floats (-0 is 0), in place; order kept.
 * Result *merged (may be NULL): how many vertices went. Cost O(n), 8 bytes a vertex of scratch.
 */
int mesh_weld_exact(struct mesh *mesh, size_t *merged, struct err *err) MUST_CHECK;

/**
 * Merges vertices that lie within tolerance of one another (same or neighbouring cell of a grid of
 * that size), in place. Meant for near-equal duplicates, not for closing gaps.
 */
int mesh_weld_near(struct mesh *mesh, double tolerance, size_t *merged, struct err *err) MUST_CHECK;

/**
 * Closes seams: joins corners of open edges, and leads open edges through corners that lie on them,
 * within 1e-6, then 1e-5 .. 2e-4 of size_mm. Each of these is kept only where it leaves fewer open
 * edges and no more edges with three triangles; what spoils that is left out, twice. All of it is
 * kept only where it closes three quarters of the open edges, or 200. No triangle may repeat a
 * vertex. Result *merged: corners joined or put on an edge; 0: nothing changed.
 */
int mesh_weld_rims(struct mesh *mesh, double size_mm, size_t *merged, struct err *err) MUST_CHECK;

struct clean_counts {
    size_t degenerate; /* triangles that named a vertex twice */
    size_t duplicate;  /* copies of a triangle, and pairs that cancel each other out */
};

/**
 * Drops triangles that repeat a vertex; of triangles on the same three vertices keeps one, or none
 * where as many face one way as the other. A mesh made wholly of such two-sided pairs keeps one
 * side of each. Then drops vertices that nobody uses.
 */
int mesh_clean(struct mesh *mesh, struct clean_counts *counts, struct err *err) MUST_CHECK;

#define MESH_COPY INT32_MIN

/**
 * Compares triangles on the same three vertices: net[t] of the first of them says how many more
 * face its way than against it, the others get MESH_COPY. Shape net: triangle_count numbers.
 */
int mesh_count_sides(int32_t *net, const struct mesh *mesh, struct err *err) MUST_CHECK;

/** Drops triangles that name a vertex twice; returns how many. */
size_t mesh_drop_degenerate(struct mesh *mesh);

/** Drops unused vertices; order kept. */
int mesh_compact(struct mesh *mesh, struct err *err) MUST_CHECK;

#endif
