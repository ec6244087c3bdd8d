/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lids as fine as their rim: centroid splits and edge flips (Liepa 2003). */
#include <stdbool.h>
#include <stdlib.h>

#include "print/repair/holes.h"

#define MAX_ROUNDS 20
#define MAX_SWEEPS 8 /* flips in space need not come to an end */

static void link(struct patch *p, uint32_t h, uint32_t g)
{
    p->twin[h] = g;
    if (g != TWIN_NONE)
        p->twin[g] = h;
}

static void set(struct patch *p, uint32_t t, uint32_t a, uint32_t b, uint32_t c)
{
    p->triangles[3 * t] = a, p->triangles[3 * t + 1] = b, p->triangles[3 * t + 2] = c;
}

static struct vec middle(const struct patch *p, uint32_t t)
{
    const uint32_t *v = p->triangles + 3 * t;
    return vec_scale(vec_add(vec_add(p->at[v[0]], p->at[v[1]]), p->at[v[2]]), 1.0 / 3);
}

static bool is_coarse(const struct patch *p, uint32_t t)
{
    const uint32_t *v = p->triangles + 3 * t;
    struct vec c = middle(p, t);
    double scale = (p->scale[v[0]] + p->scale[v[1]] + p->scale[v[2]]) / 3;
    for (int k = 0; k < 3; k++) {
        double d = sqrt(2) * vec_length(vec_sub(c, p->at[v[k]]));
        if (d <= scale || d <= p->scale[v[k]])
            return false;
    }
    return true;
}

static void split(struct patch *p, uint32_t t)
{
    const uint32_t a = p->triangles[3 * t], b = p->triangles[3 * t + 1];
    const uint32_t c = p->triangles[3 * t + 2], v = (uint32_t)p->vertices++;
    const uint32_t t1 = (uint32_t)p->count++, t2 = (uint32_t)p->count++;
    const uint32_t bc = p->twin[3 * t + 1], ca = p->twin[3 * t + 2];
    p->at[v] = middle(p, t);
    p->scale[v] = (p->scale[a] + p->scale[b] + p->scale[c]) / 3;
    set(p, t, a, b, v);
    set(p, t1, b, c, v);
    set(p, t2, c, a, v);
    link(p, 3 * t1, bc);
    link(p, 3 * t2, ca);
    link(p, 3 * t + 1, 3 * t1 + 2);
    link(p, 3 * t1 + 1, 3 * t2 + 2);
    link(p, 3 * t2 + 1, 3 * t + 2);
}

/* Looks through the fan around the origin of h, both ways, since it ends at the rim. */
static bool has_edge(const struct patch *p, uint32_t h, uint32_t to)
{
    uint32_t g = h;
    for (size_t guard = 0; guard < p->count; guard++) {
        if (p->triangles[halfedge_next(g)] == to || p->triangles[halfedge_prev(g)] == to)
            return true;
        g = p->twin[halfedge_prev(g)];
        if (g == TWIN_NONE || g == h)
            break;
    }
    for (g = p->twin[h]; g != TWIN_NONE; g = p->twin[g]) {
        g = halfedge_next(g);
        if (g == h)
            break;
        if (p->triangles[halfedge_next(g)] == to || p->triangles[halfedge_prev(g)] == to)
            return true;
    }
    return false;
}

static double cotangent(struct vec at, struct vec a, struct vec b)
{
    struct vec u = vec_sub(a, at), v = vec_sub(b, at);
    return vec_dot(u, v) / (vec_length(vec_cross(u, v)) + 1e-30);
}

static struct vec normal(struct vec a, struct vec b, struct vec c)
{
    return vec_cross(vec_sub(b, a), vec_sub(c, a));
}

/* Two corners of the rim are never joined by a flip: the mesh may have that edge already. */
static bool wants_flip(const struct patch *p, uint32_t h)
{
    uint32_t g = p->twin[h];
    if (g == TWIN_NONE || g < h)
        return false;
    uint32_t a = p->triangles[h], b = p->triangles[g];
    uint32_t c = p->triangles[halfedge_prev(h)], d = p->triangles[halfedge_prev(g)];
    if (c < p->rim && d < p->rim)
        return false;
    struct vec A = p->at[a], B = p->at[b], C = p->at[c], D = p->at[d];
    if (cotangent(C, A, B) + cotangent(D, A, B) > -1e-9)
        return false;
    return vec_dot(normal(C, A, D), normal(D, B, C)) > 0 && !has_edge(p, halfedge_prev(h), d);
}

static void flip(struct patch *p, uint32_t h)
{
    const uint32_t g = p->twin[h], t = h / 3, u = g / 3;
    const uint32_t a = p->triangles[h], b = p->triangles[g];
    const uint32_t c = p->triangles[halfedge_prev(h)], d = p->triangles[halfedge_prev(g)];
    const uint32_t bc = p->twin[halfedge_next(h)], ca = p->twin[halfedge_prev(h)];
    const uint32_t ad = p->twin[halfedge_next(g)], db = p->twin[halfedge_prev(g)];
    set(p, t, c, a, d);
    set(p, u, d, b, c);
    link(p, 3 * t, ca);
    link(p, 3 * t + 1, ad);
    link(p, 3 * u, db);
    link(p, 3 * u + 1, bc);
    link(p, 3 * t + 2, 3 * u + 2);
}

static void relax(struct patch *p)
{
    bool changed = true;
    for (int sweep = 0; changed && sweep < MAX_SWEEPS; sweep++) {
        changed = false;
        for (uint32_t h = 0; h < 3 * p->count; h++)
            if (wants_flip(p, h)) {
                flip(p, h);
                changed = true;
            }
    }
}

void patch_refine(struct patch *p)
{
    bool changed = true;
    for (int round = 0; changed && round < MAX_ROUNDS; round++) {
        const size_t count = p->count;
        changed = false;
        for (uint32_t t = 0; t < count && p->vertices < p->rim + LID_INSIDE; t++)
            if (is_coarse(p, t)) {
                split(p, t);
                changed = true;
            }
        relax(p);
    }
}
