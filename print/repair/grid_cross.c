/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which edges of the grid are crossed by triangles, and what is known across those that are not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/topology.h"
#include "print/repair/grid.h"

#define GUARD 4 /* steps from an open edge: a hole so small must not be flooded through */

#define CLOSE 1e-6 /* of a step: rounding is a thousandth of that; more is marked, never less */

/* A triangle in steps of the grid, seen along an axis: u, v across, w along. */
struct drawn {
    double p[3][3]; /* corners as u, v, w */
    double area2;   /* in u, v; positive */
    double low[3], high[3];
    size_t stride[3]; /* of the state in u, v, w */
    long n[3];
};

static struct drawn draw(const struct grid *g, size_t t, int axis)
{
    const size_t strides[3] = {1, g->n[0], g->n[0] * g->n[1]};
    const double origin[3] = {g->origin.x, g->origin.y, g->origin.z};
    struct drawn d;
    for (int k = 0; k < 3; k++) {
        int from = (axis + 1 + k) % 3;
        d.stride[k] = strides[from];
        d.n[k] = (long)g->n[from];
        d.low[k] = INFINITY, d.high[k] = -INFINITY;
        for (size_t c = 0; c < 3; c++) {
            size_t v = g->bvh.mesh->triangles[3 * t + c];
            double x = (g->bvh.mesh->xyz[3 * v + (size_t)from] - origin[from]) / g->step;
            d.p[c][k] = x;
            d.low[k] = fmin(d.low[k], x - CLOSE);
            d.high[k] = fmax(d.high[k], x + CLOSE);
        }
    }
    d.area2 = (d.p[1][0] - d.p[0][0]) * (d.p[2][1] - d.p[0][1]) -
              (d.p[1][1] - d.p[0][1]) * (d.p[2][0] - d.p[0][0]);
    if (d.area2 < 0) {
        double other[3];
        memcpy(other, d.p[1], sizeof other);
        memcpy(d.p[1], d.p[2], sizeof other);
        memcpy(d.p[2], other, sizeof other);
        d.area2 = -d.area2;
    }
    return d;
}

/* Whether the line at (u, v) may hit; *low, *high: where along it. */
static bool hits(const struct drawn *d, double u, double v, double *low, double *high)
{
    double w = 0;
    *low = d->low[2], *high = d->high[2];
    for (int c = 0; c < 3; c++) {
        const double *a = d->p[(c + 1) % 3], *b = d->p[(c + 2) % 3];
        double side = (b[0] - a[0]) * (v - a[1]) - (b[1] - a[1]) * (u - a[0]);
        if (side < -CLOSE * (fabs(b[0] - a[0]) + fabs(b[1] - a[1])))
            return false;
        w += side * d->p[c][2];
    }
    double across = d->high[0] - d->low[0] + d->high[1] - d->low[1];
    double steep = across * (d->high[2] - d->low[2]) / d->area2;
    if (!(steep < 1e4)) /* seen from its side: anywhere */
        return true;
    *low = fmax(*low, w / d->area2 - 2 * CLOSE * (steep + 1));
    *high = fmin(*high, w / d->area2 + 2 * CLOSE * (steep + 1));
    return true;
}

static void mark_line(struct grid *g, const struct drawn *d, long i, long j, uint8_t bit)
{
    double low, high;
    if (!hits(d, (double)i, (double)j, &low, &high))
        return;
    uint8_t *line = g->state + (size_t)i * d->stride[0] + (size_t)j * d->stride[1];
    for (long k = (long)floor(low); k <= (long)floor(high); k++)
        if (k >= 0 && k < d->n[2])
            line[(size_t)k * d->stride[2]] |= bit;
}

void grid_mark_crossings(struct grid *g)
{
    for (size_t t = 0; t < g->bvh.mesh->triangle_count; t++)
        for (int axis = 0; axis < 3; axis++) {
            struct drawn d = draw(g, t, axis);
            for (long i = (long)ceil(d.low[0]); i <= (long)floor(d.high[0]); i++)
                for (long j = (long)ceil(d.low[1]); j <= (long)floor(d.high[1]); j++)
                    mark_line(g, &d, i, j, (uint8_t)(GRID_CROSSED << axis));
        }
}

/* The points of a box, in steps. */
static void guard_box(struct grid *g, const double low[3], const double high[3])
{
    long from[3], to[3];
    for (int k = 0; k < 3; k++) {
        from[k] = low[k] < 0 ? 0 : (long)low[k];
        to[k] = high[k] + 1 > (double)(g->n[k] - 1) ? (long)g->n[k] - 1 : (long)high[k] + 1;
    }
    for (long z = from[2]; z <= to[2]; z++)
        for (long y = from[1]; y <= to[1]; y++)
            for (long x = from[0]; x <= to[0]; x++) {
                uint8_t *p = g->state + ((size_t)z * g->n[1] + (size_t)y) * g->n[0] + (size_t)x;
                if ((*p & GRID_STATE) == GRID_NEAR)
                    *p = (uint8_t)((*p & ~GRID_STATE) | GRID_ALONE);
            }
}

static void guard_edge(struct grid *g, struct vec a, struct vec b)
{
    struct vec along = vec_sub(b, a);
    int pieces = 1 + (int)(vec_length(along) / (GUARD * g->step));
    for (int i = 0; i < pieces; i++) {
        struct vec p = vec_sub(vec_add(a, vec_scale(along, (double)i / pieces)), g->origin);
        struct vec q = vec_sub(vec_add(a, vec_scale(along, (i + 1.0) / pieces)), g->origin);
        const double p3[3] = {p.x, p.y, p.z}, q3[3] = {q.x, q.y, q.z};
        double low[3], high[3];
        for (int k = 0; k < 3; k++) {
            low[k] = fmin(p3[k], q3[k]) / g->step - GUARD;
            high[k] = fmax(p3[k], q3[k]) / g->step + GUARD;
        }
        guard_box(g, low, high);
    }
}

int grid_guard_rims(struct grid *g, struct err *err)
{
    struct topology t;
    const struct mesh *m = g->bvh.mesh;
    if (topology_build(&t, m, err))
        return -1;
    for (uint32_t h = 0; h < 3 * m->triangle_count; h++) {
        uint32_t a = m->triangles[h], b = m->triangles[halfedge_next(h)];
        if (t.twin[h] >= TWIN_MANY || m->triangles[t.twin[h]] == a)
            guard_edge(g, mesh_point(m, a), mesh_point(m, b));
    }
    topology_free(&t);
    return 0;
}

static bool takes(struct grid *g, size_t to, uint8_t from, uint8_t bits, size_t bit)
{
    if (bits & (GRID_CROSSED << bit) || (g->state[to] & GRID_STATE) != GRID_NEAR)
        return false;
    g->state[to] = (uint8_t)((g->state[to] & ~GRID_STATE) | (from & (GRID_STATE | GRID_SURE)));
    return true;
}

int grid_flood(struct grid *g, size_t stride, struct err *err)
{
    const size_t n = g->n[0] * g->n[1] * g->n[2];
    const size_t steps[3] = {1, g->n[0], g->n[0] * g->n[1]};
    size_t near = 0, count = 0, done = 0;
    for (size_t p = 0; p < n; p++)
        near += (g->state[p] & (GRID_BAND | GRID_SURE)) != 0;
    uint32_t *queue = malloc((near + 1) * sizeof *queue);
    if (!queue)
        return FAIL(err, ERR_LIMIT, "no memory for %zu grid points", near);
    for (size_t p = 0; p < n; p++)
        if (g->state[p] & GRID_SURE)
            queue[count++] = (uint32_t)p;
    /* No point at the rim of the grid is sure. */
    for (size_t level = 0; level < 2 * stride && done < count; level++)
        for (size_t end = count; done < end; done++) {
            size_t p = queue[done];
            for (size_t k = 0; k < 3; k++) {
                size_t below = p - steps[k], above = p + steps[k];
                if (takes(g, below, g->state[p], g->state[below], k))
                    queue[count++] = (uint32_t)below;
                if (takes(g, above, g->state[p], g->state[p], k))
                    queue[count++] = (uint32_t)above;
            }
        }
    free(queue);
    return 0;
}
