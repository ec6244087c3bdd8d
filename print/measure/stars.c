/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fan of triangles round each vertex, seen along the axes: does it lie flat? */
#include "print/measure/stars.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/exact.h"
#include "print/measure/topology.h"

#define FEW 20000 /* triangles: below this one thread is as fast */
#define MOST 24   /* triangles at one vertex */

/* A halfedge h belongs to triangle h / 3 and to the corner it begins at. */
struct stars {
    const struct mesh *mesh;
    uint8_t *facing; /* per triangle: bit k faces up axis k for certain, bit 3 + k down it */
    struct corner_lists corners;
};

/* As exact_turn, but 0 where it would have to compute exactly. */
static inline int sure_turn(const double u[3], const double v[3], int x, int y)
{
    double left = u[x] * v[y], right = u[y] * v[x];
    double s = left - right, bound = EXACT_FILTER * (fabs(left) + fabs(right));
    return (s > bound) - (s < -bound);
}

static uint8_t facing_of(const struct mesh *mesh, size_t t)
{
    const uint32_t *corner = mesh->triangles + 3 * t;
    const float *a = mesh->xyz + 3 * (size_t)corner[0], *b = mesh->xyz + 3 * (size_t)corner[1];
    const float *c = mesh->xyz + 3 * (size_t)corner[2];
    unsigned bits = 0;
    double u[3], v[3];
    for (int k = 0; k < 3; k++) {
        u[k] = (double)b[k] - a[k];
        v[k] = (double)c[k] - a[k];
    }
    for (int k = 0; k < 3; k++) {
        int turn = sure_turn(u, v, (k + 1) % 3, (k + 2) % 3);
        bits |= (unsigned)(turn > 0) << k | (unsigned)(turn < 0) << (3 + k);
    }
    return (uint8_t)bits;
}

/* The fan in the order of its list: each triangle goes from one neighbour to another. */
struct fan {
    uint32_t from[MOST], to[MOST];
    uint32_t count;
    unsigned facing;
};

static bool fan_open(struct fan *fan, const struct stars *s, uint32_t v)
{
    const uint32_t *t = s->mesh->triangles;
    const uint32_t *list = s->corners.halfedges + s->corners.starts[v];
    fan->count = s->corners.starts[v + 1] - s->corners.starts[v];
    fan->facing = 63;
    if (fan->count < 3 || fan->count > MOST)
        return false;
    for (uint32_t i = 0; i < fan->count; i++) {
        fan->facing &= s->facing[list[i] / 3];
        fan->from[i] = t[halfedge_next(list[i])];
        fan->to[i] = t[halfedge_prev(list[i])];
    }
    return fan->facing != 0;
}

/* One ring: from the first to the one that begins where it ends, and back after all the others. */
static bool is_ring(const struct fan *fan)
{
    uint32_t at = fan->to[0], steps = 1;
    for (; at != fan->from[0]; steps++) {
        uint32_t i = 1;
        while (i < fan->count && fan->from[i] != at)
            i++;
        if (i == fan->count || steps == fan->count)
            return false;
        at = fan->to[i];
    }
    return steps == fan->count;
}

/* Sectors below a half turn, all in one direction: as many turns as ways up through the line. */
static bool goes_once(const struct fan *fan, const struct mesh *mesh, uint32_t v)
{
    int axis = __builtin_ctz(fan->facing), k = (axis % 3 + 2) % 3, ups = 0;
    float line = mesh->xyz[3 * (size_t)v + (size_t)k];
    for (uint32_t i = 0; i < fan->count; i++) {
        bool from = mesh->xyz[3 * (size_t)fan->from[i] + (size_t)k] < line;
        bool to = mesh->xyz[3 * (size_t)fan->to[i] + (size_t)k] < line;
        ups += from && !to;
    }
    return ups == 1;
}

static void judge_all(uint8_t *flat, struct stars *s)
{
    const size_t triangles = s->mesh->triangle_count, vertices = s->mesh->vertex_count;
#pragma omp parallel for schedule(static) if (triangles > FEW)
    for (size_t t = 0; t < triangles; t++)
        s->facing[t] = facing_of(s->mesh, t);
#pragma omp parallel for schedule(static) if (triangles > FEW)
    for (size_t v = 0; v < vertices; v++) {
        struct fan fan;
        flat[v] = fan_open(&fan, s, (uint32_t)v) && is_ring(&fan) &&
                  goes_once(&fan, s->mesh, (uint32_t)v);
    }
}

int stars_flat(uint8_t *flat, const struct mesh *mesh, struct err *err)
{
    struct stars s = {.mesh = mesh};
    if (corner_lists_build(&s.corners, mesh, err))
        return -1;
    s.facing = malloc(mesh->triangle_count + 1);
    int failed =
        s.facing ? 0 : FAIL(err, ERR_LIMIT, "no memory for %zu triangles", mesh->triangle_count);
    if (!failed)
        judge_all(flat, &s);
    free(s.facing);
    corner_lists_free(&s.corners);
    return failed;
}
