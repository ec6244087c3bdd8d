/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the decimation share: the half-edges, the quadrics, the grid of cells. */
#ifndef PRINT_SHAPE_DECIMATE_PARTS_H
#define PRINT_SHAPE_DECIMATE_PARTS_H

#include <stdbool.h>

#include "print/measure/topology.h"
#include "print/measure/vec.h"

#define GONE UINT32_MAX
/* Fans larger than this are left alone. */
#define FAN_MAX 48

/* w x'x: sum of area x squared distance to the planes seen so far; area: sum of the areas. */
struct quadric {
    double xx, xy, xz, yy, yz, zz, x, y, z, one, area;
};

struct box {
    float low[3], high[3];
};

/* Triangles by the cells that their boxes touch, as they were when it was filled; those that move
 * later are added to chains and the old entries stay: whoever asks looks at the triangle again. */
struct cells {
    float low[3];
    float per_mm; /* cells in a millimetre */
    int n[3];
    uint32_t *starts;     /* per cell + 1, into filled */
    uint32_t *filled;     /* triangles */
    uint32_t *chain;      /* per cell: head in links, GONE at the end */
    uint32_t (*links)[2]; /* triangle, next */
    uint32_t *wide;       /* triangles that touch too many cells: looked at every time */
    size_t cell_count, link_count, link_room, wide_count, cell_room, filled_room;
};

/* A collapse that has been judged; the joined vertex goes to `at`. */
struct collapse {
    struct vec at;
    struct box region; /* of all triangles that would change, before and after */
    bool good;
};

/* A halfedge and what it is sorted by: bits of its cost, or its block. */
struct numbered {
    uint32_t key, number;
};

struct decimation {
    struct mesh *mesh; /* triangles[3 t] == GONE: no longer there */
    uint32_t *twin;    /* per halfedge */
    uint32_t *from;    /* per vertex: a halfedge that leaves it, or GONE */
    struct quadric *quadric;
    struct box *boxes; /* per triangle; one that is gone touches nothing */
    float *cost;       /* per halfedge from the lower to the higher number of a pair */
    uint32_t *changed; /* per vertex: pass in which it moved */
    uint32_t *touched; /* per vertex: pass in which a neighbour moved */
    struct cells cells;
    double max_error2; /* mean squared distance that is allowed; INFINITY: any */
    size_t live;       /* triangles */
    uint64_t *best;    /* per vertex: cost and number of its cheapest edge */
    struct numbered *candidates, *selected, *spare;
    uint32_t *living; /* triangles that are left when a pass begins */
    size_t living_count;
    size_t *block_starts;
    uint8_t *later;
    uint32_t pass;
};

/** Vertices and triangles in Morton order. */
int mesh_sort_space(struct mesh *mesh, struct err *err) MUST_CHECK;

/** Sorts by key; equal ones keep their order. other: room for as many. */
void numbered_sort(struct numbered *list, struct numbered *other, size_t n);

/** Cost of joining the ends of h and the best place for it. Above max_error2: INFINITY. */
double collapse_cost(const struct decimation *d, uint32_t h, struct vec *at);

/** Looks whether h may go: links, folds, slivers, crossings. Changes nothing. */
void collapse_judge(struct collapse *out, const struct decimation *d, uint32_t h);

/** Most links that one collapse may add while others work beside it. */
#define LINKS_EACH 32

/**
 * Takes h out; the judgement must be of the present state. alone: no other thread is at work, so
 * there may be made room. Returns 1 when it must wait until it is alone.
 */
int collapse_do(struct decimation *d, uint32_t h, const struct collapse *collapse, bool alone,
                struct err *err) MUST_CHECK;

/** Puts all living triangles into cells of about the triangles' own size, with room for `links`. */
int cells_fill(struct decimation *d, size_t links, struct err *err) MUST_CHECK;

/** The cells that a box touches. */
struct span {
    int from[3], to[3];
};
size_t span_of(struct span *span, const struct cells *cells, const struct box *box);

/** How many links cells_add would make. */
size_t cells_new(const struct cells *cells, const struct box *before, const struct box *now);

/** Adds a triangle that has moved; cells of `before` have it already. There must be room. */
void cells_add(struct cells *cells, uint32_t triangle, const struct box *before,
               const struct box *now);

int cells_make_room(struct cells *cells, size_t links, struct err *err) MUST_CHECK;

/**
 * Living triangles whose boxes touch `box` and which have neither corner a nor corner b. Returns
 * how many, or -1 when they are more than room or the box is too large to look through. One may
 * come twice.
 */
int cells_near(uint32_t *out, int room, const struct decimation *d, const struct box *box,
               uint32_t a, uint32_t b);

void cells_free(struct cells *cells);

struct box triangle_box(const struct mesh *mesh, uint32_t triangle);

static inline bool box_touches(const struct box *a, const struct box *b)
{
    return a->low[0] <= b->high[0] && b->low[0] <= a->high[0] && a->low[1] <= b->high[1] &&
           b->low[1] <= a->high[1] && a->low[2] <= b->high[2] && b->low[2] <= a->high[2];
}

/**
 * Two triangles with no, one or two corners in common cross or overlap beyond those. Corner numbers
 * tell which are common. Sure for coordinates that are floats.
 */
bool triangles_meet(const uint32_t ids[3], const struct vec p[3], const uint32_t other_ids[3],
                    const struct vec q[3]);

#endif
