/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Angles are compared by the exact sign of a volume. */
#include "print/repair/around.h"

#include "print/measure/exact.h"
#include "print/measure/topology.h"

struct frame {
    const float *from, *to, *first;
};

/* 0: the first one's direction, 1: up to half a turn, 2: half a turn, 3: beyond. */
static int half_of(const struct frame *f, const float *p)
{
    int side = exact_side(f->from, f->to, f->first, p);
    if (side)
        return side > 0 ? 1 : 3;
    double axis[3], u[3], v[3], n[3], m[3], dot = 0;
    for (int k = 0; k < 3; k++) {
        axis[k] = (double)f->to[k] - f->from[k];
        u[k] = (double)f->first[k] - f->from[k];
        v[k] = (double)p[k] - f->from[k];
    }
    for (int k = 0; k < 3; k++) {
        int i = (k + 1) % 3, j = (k + 2) % 3;
        n[k] = axis[i] * u[j] - axis[j] * u[i];
        m[k] = axis[i] * v[j] - axis[j] * v[i];
        dot += n[k] * m[k];
    }
    return dot >= 0 ? 0 : 2;
}

static const float *third_corner(const struct mesh *mesh, uint32_t h)
{
    return mesh->xyz + 3 * (size_t)mesh->triangles[halfedge_prev(h)];
}

static bool is_before(const struct frame *f, const struct mesh *mesh, uint32_t one, uint32_t two)
{
    const float *p = third_corner(mesh, one), *q = third_corner(mesh, two);
    int a = half_of(f, p), b = half_of(f, q);
    if (a != b)
        return a < b;
    int side = a & 1 ? exact_side(f->from, f->to, p, q) : 0;
    return side ? side > 0 : one < two;
}

void around_sort(struct around *list, const struct mesh *mesh, const uint32_t *halfedges,
                 size_t count)
{
    uint32_t h = halfedges[0], from = mesh->triangles[h];
    struct frame f = {.from = mesh->xyz + 3 * (size_t)from,
                      .to = mesh->xyz + 3 * (size_t)mesh->triangles[halfedge_next(h)],
                      .first = third_corner(mesh, h)};
    for (size_t i = 0; i < count; i++) {
        struct around one = {halfedges[i], mesh->triangles[halfedges[i]] == from};
        size_t at = i;
        for (; at > 0 && is_before(&f, mesh, one.halfedge, list[at - 1].halfedge); at--)
            list[at] = list[at - 1];
        list[at] = one;
    }
}
