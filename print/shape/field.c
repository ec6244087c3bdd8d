/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Depths on a grid; see field.h. The surface is cut by tetrahedra, six to a cell, all alike, so
 * that it is closed and 2-manifold. */
#include "print/shape/field.h"

#include <stdlib.h>
#include <string.h>

#include "print/measure/measure.h"
#include "print/repair/steps.h"
#include "print/repair/weld.h"

#define POINTS_MOST ((size_t)40000000)
#define MARGIN 2

/* Depth changes by no more than the way between two points, so a sign holds on until it could have
 * changed; only then the winding number is asked. */
static void measure_row(struct field *f, const struct bvh *bvh, int y, int z)
{
    bool inside = false;
    double before = f->reach;
    for (int x = 0; x < f->n[0]; x++) {
        struct vec p = field_point(f, x, y, z);
        double within = before + 1.0001 * f->step;
        double d = bvh_nearest(bvh, p, within < f->reach ? within : f->reach, NULL, NULL);
        if (x > 0 && before + d <= 1.001 * f->step)
            inside = bvh_winding(bvh, p) > 0.5;
        before = d;
        f->depth[field_index(f, x, y, z)] = (float)(inside ? d : -d);
    }
}

int field_make(struct field *out, const struct bvh *bvh, double step, double reach, struct err *err)
{
    double low[3], high[3];
    struct field f = {.step = step, .reach = reach};
    size_t points = 1;
    mesh_bounds(bvh->mesh, low, high);
    /* Off the round numbers on which flat sides like to lie. */
    f.low = (struct vec){low[0] - (MARGIN + 0.37) * step, low[1] - (MARGIN + 0.41) * step,
                         low[2] - (MARGIN + 0.43) * step};
    for (int k = 0; k < 3; k++) {
        double n = ceil((high[k] - low[k]) / step) + 2 * MARGIN + 2;
        if (!(n * (double)points < (double)POINTS_MOST))
            return FAIL(err, ERR_LIMIT, "a grid of %g mm is too fine for this size", step);
        f.n[k] = (int)n;
        points *= (size_t)n;
    }
    f.depth = malloc(points * sizeof *f.depth);
    if (!f.depth)
        return FAIL(err, ERR_LIMIT, "no memory for a grid of %zu points", points);
#pragma omp parallel for collapse(2) schedule(dynamic, 16)
    for (int z = 0; z < f.n[2]; z++)
        for (int y = 0; y < f.n[1]; y++)
            measure_row(&f, bvh, y, z);
    *out = f;
    return 0;
}

void field_free(struct field *field)
{
    free(field->depth);
    *field = (struct field){0};
}

struct cutter {
    const struct field *field;
    struct mesh *out;
    double depth;
    size_t vertex_room, triangle_room;
    struct err *err;
};

static int room(struct cutter *c)
{
    struct mesh *m = c->out;
    if (m->vertex_count + 12 <= c->vertex_room && m->triangle_count + 4 <= c->triangle_room)
        return 0;
    size_t more = m->triangle_count / 2 + 4096;
    if (mesh_grow(m, 3 * more, more, c->err))
        return -1;
    c->vertex_room = m->vertex_count + 3 * more;
    c->triangle_room = m->triangle_count + more;
    return 0;
}

/* Both cells at an edge must find the same floats: lower end first. */
static uint32_t cross(struct cutter *c, const int cell[3], int one, int two)
{
    int low = one < two ? one : two, high = one < two ? two : one, at[2][3];
    double value[2];
    for (int k = 0; k < 3; k++) {
        at[0][k] = cell[k] + (low >> k & 1);
        at[1][k] = cell[k] + (high >> k & 1);
    }
    for (int i = 0; i < 2; i++)
        value[i] = c->field->depth[field_index(c->field, at[i][0], at[i][1], at[i][2])] - c->depth;
    double t = value[0] / (value[0] - value[1]);
    t = t > 0.02 ? t < 0.98 ? t : 0.98 : 0.02;
    struct vec a = field_point(c->field, at[0][0], at[0][1], at[0][2]);
    struct vec b = field_point(c->field, at[1][0], at[1][1], at[1][2]);
    uint32_t v = (uint32_t)c->out->vertex_count++;
    mesh_point_set(c->out, v, vec_add(a, vec_scale(vec_sub(b, a), t)));
    return v;
}

static void put(struct cutter *c, uint32_t x, uint32_t y, uint32_t z)
{
    uint32_t *t = c->out->triangles + 3 * c->out->triangle_count++;
    t[0] = x, t[1] = y, t[2] = z;
}

/* p[0 .. inside - 1] are inside; (p[0], p[1], p[2], p[3]) is a positive tetrahedron. */
static void cut(struct cutter *c, const int cell[3], const int *p, int inside)
{
    if (inside == 1) {
        uint32_t a = cross(c, cell, p[0], p[1]), b = cross(c, cell, p[0], p[2]);
        put(c, a, b, cross(c, cell, p[0], p[3]));
    } else if (inside == 3) {
        uint32_t a = cross(c, cell, p[3], p[0]), b = cross(c, cell, p[3], p[1]);
        put(c, a, b, cross(c, cell, p[3], p[2]));
    } else {
        uint32_t a = cross(c, cell, p[0], p[2]), b = cross(c, cell, p[0], p[3]);
        uint32_t d = cross(c, cell, p[1], p[3]), e = cross(c, cell, p[1], p[2]);
        put(c, a, b, d);
        put(c, a, d, e);
    }
}

/* Inside corners to the front by an even permutation; two of one kind may change places. */
static int sort_corners(int p[4], const bool *inside)
{
    int count = 0, odd = 0;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 3 - i; j++)
            if (!inside[p[j]] && inside[p[j + 1]]) {
                int other = p[j];
                p[j] = p[j + 1];
                p[j + 1] = other;
                odd ^= 1;
            }
    for (int i = 0; i < 4; i++)
        count += inside[p[i]];
    if (odd) {
        int first = count >= 2 ? 0 : 2, other = p[first];
        p[first] = p[first + 1];
        p[first + 1] = other;
    }
    return count;
}

static int cut_cell(struct cutter *c, const int cell[3])
{
    static const int tetrahedra[6][4] = {{0, 1, 3, 7}, {0, 2, 7, 3}, {0, 2, 6, 7},
                                         {0, 4, 7, 6}, {0, 4, 5, 7}, {0, 1, 7, 5}};
    bool inside[8];
    int total = 0;
    for (int i = 0; i < 8; i++) {
        inside[i] = c->field->depth[field_index(c->field, cell[0] + (i & 1), cell[1] + (i >> 1 & 1),
                                                cell[2] + (i >> 2))] > c->depth;
        total += inside[i];
    }
    for (int i = 0; total > 0 && total < 8 && i < 6; i++) {
        int p[4];
        memcpy(p, tetrahedra[i], sizeof p);
        int count = sort_corners(p, inside);
        if (count == 0 || count == 4)
            continue;
        if (room(c))
            return -1;
        cut(c, cell, p, count);
    }
    return 0;
}

int field_surface(struct mesh *out, const struct field *field, double depth, struct err *err)
{
    struct mesh made = {0};
    struct cutter c = {.field = field, .out = &made, .depth = depth, .err = err};
    int failed = 0;
    for (int z = 0; z + 1 < field->n[2]; z++)
        for (int y = 0; y + 1 < field->n[1]; y++)
            for (int x = 0; !failed && x + 1 < field->n[0]; x++)
                failed = cut_cell(&c, (const int[3]){x, y, z});
    if (!failed && made.triangle_count)
        failed = mesh_weld_exact(&made, NULL, err);
    if (failed) {
        mesh_free(&made);
        return -1;
    }
    *out = made;
    return 0;
}
