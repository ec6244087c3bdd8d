/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The surface of the rebuild while it is made: cut in tetrahedra.c, its vertices placed in
 * rebuild_place.c, its edges and corners made sharp in rebuild_sharp.c. */
#ifndef PRINT_REPAIR_REBUILD_SURFACE_H
#define PRINT_REPAIR_REBUILD_SURFACE_H

#include "print/repair/grid.h"

/* A grid point beside the surface, and what of the input is nearest to it. */
struct beside {
    float off[3];      /* what the point was moved by, away from the surface */
    float distance;    /* from there to the surface; the search's limit where nothing is near */
    float normal[3];   /* of the nearest triangle, unit; 0 where nothing is near */
    uint32_t triangle; /* UINT32_MAX: nothing near */
    float value;       /* winding number less 1/2, where no surface tells the vertices' places */
};

/* The points beside the surface, found by their numbers. */
struct besides {
    uint64_t *wanted; /* a bit per grid point */
    uint32_t *before; /* wanted points before each word of bits */
    struct beside *at;
};

/* A point between two grid points of one state that is of the other: the tetrahedra around their
 * edge are cut in two there. Its number follows those of the grid points. */
struct between {
    struct vec at;
    size_t ends[2]; /* lower number first */
    bool inside;
};

struct surface {
    const struct grid *grid;
    uint32_t *crossing[2]; /* vertex numbers on the edges of two layers of points */
    struct mesh *out;
    uint64_t *edges; /* per vertex: 8 x the number of its edge's lower point + direction */
    uint8_t *halves; /* per triangle: 1 when it and the next one share a tetrahedron */
    size_t vertex_room, triangle_room;
    size_t cut_vertices; /* those on edges of the grid; the others were added to them */
    struct besides besides;
    struct between *betweens; /* sorted by their ends */
    size_t between_count;
    size_t (*pairs)[2]; /* ends of edges that end in one of those: edges has SURFACE_PAIR + place */
    float *normals; /* per vertex: of the input where it was placed, from solid to empty; or 0 */
    struct err *err;
};

/* Share of sharp polygons from which on the input is a tangle as fine as the grid, not a body with
 * edges: left as it is. */
#define SURFACE_MOST_SHARP 0.25

#define SURFACE_PAIR ((uint64_t)1 << 63)

static inline size_t surface_points(const struct surface *s)
{
    return s->grid->n[0] * s->grid->n[1] * s->grid->n[2];
}

/** The two grid points of a vertex's edge, the lower one first. */
void surface_ends(const struct surface *s, uint32_t vertex, size_t end[2]);

/** Where a grid point that ends an edge lies since it was moved. */
struct vec surface_corner(const struct surface *s, size_t number);

/** Fills besides and normals, and puts the vertices where the input crosses their edges. */
int surface_place(struct surface *s) MUST_CHECK;

/** The first triangle of the input from b towards a: where from a to b, and its normal. */
bool surface_ray(const struct grid *g, struct vec a, struct vec b, double *t, struct vec *normal);

/** Places one vertex where from the inside point a to b something is crossed, with the normal. */
void surface_put(struct surface *s, uint32_t vertex, struct vec a, struct vec b, double t,
                 struct vec normal);

/**
 * Where an edge of the input passes between grid points that are all on one side, the straight cut
 * does not see it. Cuts tetrahedra in two where it crosses one of their edges twice.
 */
int surface_split(struct surface *s) MUST_CHECK;

/** Whether an edge of the input passes the polygon that begins with triangle t. */
bool surface_is_sharp(const struct surface *s, size_t t);

/**
 * Gives tetrahedra that an edge or a corner of the input passes a point on it, and their sides a
 * point where it leaves them. All points lie within their tetrahedron or side and are joined to the
 * rim of the polygon there, so that nothing can cross: seen from a point within a convex body its
 * rim is a simple loop.
 */
int surface_sharpen(struct surface *s) MUST_CHECK;

void surface_free(struct surface *s);

#endif
