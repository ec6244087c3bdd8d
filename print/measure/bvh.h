/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A tree of boxes over a mesh's triangles: nearest point, rays, crossings, winding number. */
#ifndef PRINT_MEASURE_BVH_H
#define PRINT_MEASURE_BVH_H

#include "print/measure/vec.h"

struct bvh_node {
    float low[3], high[3];
    uint32_t first; /* leaf: first place in order; else the left child, the right one follows */
    uint32_t count; /* triangles of a leaf, 0 for an inner node */
};

struct bvh_dipole {
    struct vec centre; /* area-weighted middle */
    struct vec normal; /* sum of area x normal */
    double radius;     /* reaches all triangles below */
};

/* mesh is borrowed and must outlive the tree unchanged. */
struct bvh {
    const struct mesh *mesh;
    struct bvh_node *nodes;
    struct bvh_dipole *dipoles; /* NULL until bvh_add_dipoles */
    uint32_t *order;
    size_t node_count;
};

/** Builds a balanced tree in Morton order. Cost O(n), about 80 bytes a triangle. Owner bvh_free. */
int bvh_build(struct bvh *out, const struct mesh *mesh, struct err *err) MUST_CHECK;

void bvh_free(struct bvh *bvh);

/**
 * Distance from p to the mesh and, when triangle is not NULL, the triangle it is nearest to;
 * at (may be NULL) gets that point. Looks no further than within; returns within when nothing is
 * nearer.
 */
double bvh_nearest(const struct bvh *bvh, struct vec p, double within, struct vec *at,
                   uint32_t *triangle);

/**
 * First hit of a ray beyond from (in units of direction's length), leaving out the triangle `skip`
 * (UINT32_MAX: none). Returns the distance, or INFINITY.
 */
double bvh_ray(const struct bvh *bvh, struct vec origin, struct vec direction, double from,
               uint32_t skip, uint32_t *triangle);

/** Prepares for bvh_winding. */
int bvh_add_dipoles(struct bvh *bvh, struct err *err) MUST_CHECK;

/**
 * Generalized winding number: 1 inside, 0 outside a closed mesh; between where it has holes.
 * Source Barill et al., Fast Winding Numbers for Soups and Clouds (2018), first-order expansion.
 */
double bvh_winding(const struct bvh *bvh, struct vec p);

/**
 * Triangles that cross another one; those that share a vertex count only when they cross beyond
 * it. Gives up counting (and returns what it has) after max_tests triangle pairs.
 */
int bvh_self_intersections(const struct bvh *bvh, size_t *count, size_t max_tests,
                           struct err *err) MUST_CHECK;

#endif
