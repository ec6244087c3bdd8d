/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A tree of boxes over a mesh's triangles: nearest point, rays, crossings, winding number. */
#ifndef PRINT_MEASURE_BVH_H
#define PRINT_MEASURE_BVH_H

#include "print/measure/exact.h"
#include "print/measure/vec.h"

/* In this order each corner of the box is one 16-byte load. */
struct bvh_node {
    float low[3];
    uint32_t first; /* leaf: first place in order; else the left child, the right one follows */
    float high[3];
    uint32_t count; /* triangles of a leaf, 0 for an inner node */
};

struct bvh_dipole {
    struct vec centre; /* area-weighted middle */
    struct vec normal; /* sum of area x normal */
    double radius;     /* reaches all triangles below */
};

/* Its corners, without a look into the mesh. */
struct bvh_triangle {
    float at[3][3];
};

struct boxes;

/* mesh is borrowed and must outlive the tree unchanged. */
struct bvh {
    const struct mesh *mesh;
    struct bvh_node *nodes;
    struct bvh_dipole *dipoles;   /* NULL until bvh_add_dipoles */
    uint32_t *order;              /* place in the tree -> number of the triangle */
    struct bvh_triangle *corners; /* by place in the tree */
    struct boxes *boxes;          /* the same by fours; see boxes.h */
    size_t node_count;
};

static inline struct vec bvh_corner(const struct bvh_triangle *t, int c)
{
    return (struct vec){t->at[c][0], t->at[c][1], t->at[c][2]};
}

/**
 * Builds a balanced tree in Morton order. Cost O(n), about 88 bytes a triangle and 16 more while
 * building. Owner bvh_free.
 */
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
 * How many triangles meet another one beyond a shared corner or edge, decided exactly; touching and
 * overlapping in one plane count, and so do copies. Triangles without area do not. Gives up
 * counting (and returns what it has) after max_tests triangle pairs.
 */
int bvh_self_intersections(const struct bvh *bvh, size_t *count, size_t max_tests,
                           struct err *err) MUST_CHECK;

/* Zero-initialise; bvh_pairs_free releases. */
struct bvh_pairs {
    uint32_t (*pair)[2]; /* lower number first, sorted */
    size_t count;
    size_t tests; /* how many were made */
    bool gave_up; /* after max_tests or max_pairs: some are missing */
};

struct bvh_pair_options {
    size_t max_tests;     /* of triangle against triangle whose boxes touch */
    size_t max_pairs;     /* give up soon after as many; 0: no limit */
    const uint8_t *dirty; /* per triangle; only pairs with a dirty one are looked for. NULL: all */
    bool copies;          /* list pairs with the same three corners too */
};

/** Lists the pairs of triangles that meet as above. Threads: the same list for any number. */
int bvh_meeting_pairs(struct bvh_pairs *out, const struct bvh *bvh,
                      const struct bvh_pair_options *options, struct err *err) MUST_CHECK;

void bvh_pairs_free(struct bvh_pairs *pairs);

#endif
