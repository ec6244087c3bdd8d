/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the arrangement share: exact points on a grid of integers, and the drawing of
 * lines in one triangle's plane that is cut into pieces. */
#ifndef PRINT_REPAIR_ARRANGE_PARTS_H
#define PRINT_REPAIR_ARRANGE_PARTS_H

#include <stdbool.h>

#include "base/err.h"
#include "print/measure/exact_big.h"
#include "print/mesh.h"

/*
 * Widths: grid coordinates are below 2^24, differences 2^25, normals 2^51, plane constants 2^77.
 * A point of an edge in a plane has a denominator below 2^79 and numerators below 2^105; the point
 * of three planes 2^156 and 2^183. The turn of three such points stays below 2^525.
 */
struct plane {
    int64_t normal[3];
    int128 constant; /* normal . p for its points */
};

/* A triangle with its corners on the grid. */
struct tile {
    int32_t at[3][3];
    struct plane plane;
};

/* A point of an edge: x / w, w > 0. */
struct spot {
    int128 x[3], w;
};

/* What a triangle contributes to another one's drawing: a point, or a segment of a line. */
struct stroke {
    struct spot end[2];
    int count;         /* 1 point, 2 ends */
    struct plane line; /* its line is where this plane cuts the drawing's */
};

#define STROKES_MAX 3 /* one for each edge of a triangle in the same plane */

/** Where `other` lies on `tile`, both with area: how many strokes. */
int tile_strokes(struct stroke out[STROKES_MAX], const struct tile *tile, const struct tile *other);

struct tile tile_make(const int32_t a[3], const int32_t b[3], const int32_t c[3]);

/** The plane through p and q that also holds the direction of the axis `up`. */
struct plane plane_upright(const int32_t p[3], const int32_t q[3], int up);

/** The axis along which the tile is seen largest. */
int tile_axis(const struct tile *tile);

/* 192 bits, sign and magnitude as in struct big. */
struct number {
    int sign, size;
    uint64_t limb[3];
};

struct sketch_point {
    double x, y;            /* within 2^-26 of where it is */
    struct number exact[3]; /* x, y and what both are to be divided by */
    int32_t rounded[3];     /* in space, to the nearest grid point; halves go up */
};

/* Edge i runs from corner i to corner i + 1. */
struct sketch_face {
    int32_t corner[3];
    int32_t across[3]; /* the face on the other side, -1: none */
    int32_t line[3];   /* the line that the edge lies on, -1: free to be flipped */
};

/* One triangle's plane, looked at along an axis so that its corners 0, 1, 2 turn left, with a
 * triangulation that holds the lines drawn so far. Zero-initialise; sketch_free releases. */
struct sketch {
    struct tile tile;
    int axis[3]; /* the drawing's x, y and the axis it is seen along */
    struct sketch_point *points;
    int32_t *face_of; /* one face of each point */
    int point_count, point_room;
    struct sketch_face *faces;
    int face_count, face_room;
    struct plane *lines;
    int line_count, line_room;
    int32_t (*todo)[2]; /* edges to look at, as pairs of points */
    int todo_count, todo_room;
    uint64_t *spent; /* faces made by all drawings; beyond FACES_MAX none is finished */
};

#define FACES_MAX 4000000 /* about ten seconds' work, and more than honest meshes gave */
#define FACES_STEP 256    /* how many a drawing makes before it adds them to *spent */

/* All return -1 when memory or FACES_MAX is used up. */

/** Begins a drawing of the tile; memory of an earlier one is used again. */
int sketch_begin(struct sketch *s, const struct tile *tile);

int sketch_add_line(struct sketch *s, const struct plane *line);

/** The number of the point, new or not. */
int sketch_add_spot(struct sketch *s, const struct spot *spot);

/** Draws the part of a line between two points on it. */
int sketch_draw(struct sketch *s, int32_t a, int32_t b, int32_t line);

/**
 * Flips edges until the triangulation depends on nothing but points and lines: Delaunay for the
 * rounded points, so that triangles in one plane are cut alike where they overlap.
 */
void sketch_finish(struct sketch *s);

void sketch_free(struct sketch *s);

/* For the files that make up the sketch. */

/** 1 when a, b, c turn left, 0 on one line, -1 right. */
int sketch_turn(const struct sketch *s, int32_t a, int32_t b, int32_t c);

/** Edge a b as a face and its edge number; false when there is none in this direction. */
bool sketch_find_edge(const struct sketch *s, int32_t a, int32_t b, int32_t *face, int *edge);

/** The next face around corner `at` of it, to the left (or right); -1 beyond the rim. */
int32_t sketch_around(const struct sketch *s, int32_t face, int32_t at, bool left);

int sketch_corner(const struct sketch_face *face, int32_t point);

/** Turns the edge inside its two faces, which must make a strictly convex quadrilateral. */
void sketch_flip(struct sketch *s, int32_t face, int edge);

/** May the edge be flipped? */
bool sketch_convex(const struct sketch *s, int32_t face, int edge);

/** Puts a point on an edge. */
int sketch_split_edge(struct sketch *s, int32_t face, int edge, int32_t point);

/** A new point where two lines cross, not yet in the triangulation. */
int sketch_add_crossing(struct sketch *s, int32_t line, int32_t other);

/** The place of the next point, for these two to fill; NULL when there is no room. */
struct sketch_point *sketch_slot(struct sketch *s);

void sketch_point_set(const struct sketch *s, struct sketch_point *p, const struct spot *spot);

/** The point of three planes: the drawing's and two that cut it in lines that cross. */
void sketch_point_cross(const struct sketch *s, struct sketch_point *p, const struct plane *b,
                        const struct plane *c);

int sketch_todo(struct sketch *s, int32_t a, int32_t b);

/* The mesh on its way through the rounds. */
struct work {
    struct mesh mesh;
    uint32_t *from; /* per triangle: of the input */
    uint8_t *dirty; /* per triangle: changed since pairs were last looked for */
    uint8_t *cut;   /* per triangle of the input */
    uint8_t *stuck; /* per triangle of the input: still met others in the end */
    double step;    /* of the grid */
    uint64_t tests; /* of pairs of triangles so far */
};

struct bvh_pairs;

/** The corner on the grid, where it lies exactly. */
void work_corner(int32_t out[3], const struct work *w, uint32_t vertex);

/** The pairs of triangles that meet, one of them at least dirty. */
int work_find(struct bvh_pairs *pairs, struct work *w, struct err *err) MUST_CHECK;

/**
 * One round: replaces each triangle of the pairs by its pieces. 1 where that is more work than
 * allowed, the mesh then as it was.
 */
int work_cut(struct work *w, const struct bvh_pairs *pairs, struct err *err) MUST_CHECK;

/**
 * Leads the long edges of slivers among the pairs through the corners across from them. 1 where
 * there were any.
 */
int work_squash(struct work *w, const struct bvh_pairs *pairs, struct err *err) MUST_CHECK;

/**
 * Moves what did not settle by some steps of the grid: the corners of triangles that were stuck,
 * and each shell with triangles that were cut, but the largest. before: the attempt that is to be
 * bettered.
 */
int work_nudge(struct work *w, const struct work *before, int attempt, struct err *err) MUST_CHECK;

/** Makes one vertex of equal ones, then drops triangles without area. */
int work_tidy(struct work *w, struct err *err) MUST_CHECK;

#endif
