/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which triangles meet along which edge: the ground of measuring and of repair. */
#ifndef PRINT_MEASURE_TOPOLOGY_H
#define PRINT_MEASURE_TOPOLOGY_H

#include "print/mesh.h"

#define TWIN_NONE UINT32_MAX       /* the edge has one triangle: a boundary */
#define TWIN_MANY (UINT32_MAX - 1) /* the edge has three or more */

/* Halfedge h = 3 * triangle + corner goes from triangles[h] to triangles[halfedge_next(h)]. */
static inline uint32_t halfedge_next(uint32_t h)
{
    return h % 3 == 2 ? h - 2 : h + 1;
}

static inline uint32_t halfedge_prev(uint32_t h)
{
    return h % 3 == 0 ? h + 2 : h - 1;
}

/* All halfedges of one edge lie together: entries[first .. first + count). */
struct edge_list {
    uint32_t *halfedges; /* 3 x triangle_count, grouped by edge */
    uint32_t *starts;    /* edge_count + 1 */
    size_t edge_count;
};

/** Groups halfedges by their two vertices. Cost O(n) but for vertices of huge valence. */
int edge_list_build(struct edge_list *out, const struct mesh *mesh, struct err *err) MUST_CHECK;

void edge_list_free(struct edge_list *edges);

/* The halfedges that begin at vertex v: halfedges[starts[v] .. starts[v + 1]), in rising order. */
struct corner_lists {
    uint32_t *starts;    /* vertex_count + 1 */
    uint32_t *halfedges; /* 3 x triangle_count */
};

/** Cost O(n): 10 ms for a million triangles. Owner corner_lists_free. */
int corner_lists_build(struct corner_lists *out, const struct mesh *mesh,
                       struct err *err) MUST_CHECK;

void corner_lists_free(struct corner_lists *lists);

struct topology {
    uint32_t *twin;  /* per halfedge: its partner, TWIN_NONE or TWIN_MANY */
    uint32_t *shell; /* per triangle: number of its edge-connected shell, 0 .. shells - 1 */
    size_t shells;
    size_t edges;
    size_t boundary_edges;
    size_t nonmanifold_edges;
    size_t inconsistent_edges; /* two triangles that run the edge in the same direction */
    size_t nonmanifold_vertices;
};

/**
 * Finds partners, shells and counts. Indices must be in range and no triangle may repeat a vertex
 * (mesh_clean makes it so).
 * Cost O(n), 14 bytes a triangle of scratch. Owner topology_free.
 * Threads  the same for any number.
 */
int topology_build(struct topology *out, const struct mesh *mesh, struct err *err) MUST_CHECK;

void topology_free(struct topology *topology);

/** Closed, every edge shared by two triangles that agree, every vertex one fan. */
static inline int topology_is_solid(const struct topology *t)
{
    return t->boundary_edges == 0 && t->nonmanifold_edges == 0 && t->inconsistent_edges == 0 &&
           t->nonmanifold_vertices == 0;
}

#endif
