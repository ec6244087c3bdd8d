/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the search for a side to stand on is made of. */
#ifndef PRINT_SHAPE_ORIENT_PARTS_H
#define PRINT_SHAPE_ORIENT_PARTS_H

#include "print/shape/orient.h"

/* A mesh about to be turned many ways. */
struct judge {
    const struct mesh *mesh;
    const struct orient_options *options;
    double size_mm;    /* longest side */
    struct vec middle; /* centre of mass */
    uint8_t *front;    /* per triangle: it is to be kept free of support; NULL: none */
    double front_mm2;  /* scars there that are bearable */
};

double longest_side(const struct mesh *mesh);

int judge_open(struct judge *judge, const struct mesh *mesh, const struct orient_options *options,
               struct err *err) MUST_CHECK;
void judge_close(struct judge *judge);

int judge_stand(struct orient_stand *out, const struct judge *judge, struct vec down,
                double pixel_mm, struct err *err) MUST_CHECK;

/** A copy for counting crossings only, with one vertex to a cell. */
int mesh_thin_out(struct mesh *out, const struct mesh *mesh, double cell_mm,
                  struct err *err) MUST_CHECK;

/** Marks what is seen from -Y in the upper part. Owner the caller frees *front. */
int front_find(uint8_t **front, const struct mesh *mesh, struct err *err) MUST_CHECK;

/** The normals of the `most` largest flat sides, each of triangles within near_deg. */
int flat_sides(struct vec *out, size_t most, const struct mesh *mesh, double near_deg,
               struct err *err) MUST_CHECK;

/**
 * The same of the mesh's convex hull, looked for along `ways`; straight down where there are fewer.
 * Cost     O(vertices + ways): a look at each vertex, and for each way at the boxes they lie in.
 */
int hull_sides(struct vec *sides, size_t most, const struct mesh *mesh, const struct vec *ways,
               size_t way_count, struct err *err) MUST_CHECK;

/**
 * Directions worth trying: the mesh's own, then *flat of its flat sides and those of its convex
 * hull, then all around.
 * Owner    the caller frees *out, on failure too.
 */
int directions_list(struct vec **out, size_t *count, size_t *flat, const struct mesh *mesh,
                    struct err *err) MUST_CHECK;

#endif
