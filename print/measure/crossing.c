/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counting triangles that cross each other: the tree against itself, then edge against triangle. */
#include "print/measure/bvh.h"

#include <stdbool.h>
#include <stdlib.h>

struct crossing {
    const struct bvh *bvh;
    uint8_t *crossed;
    size_t tests, max_tests;
};

static bool boxes_touch(const struct bvh_node *a, const struct bvh_node *b)
{
    for (int k = 0; k < 3; k++)
        if (a->low[k] > b->high[k] || b->low[k] > a->high[k])
            return false;
    return true;
}

/* Six times the signed volume of a tetrahedron, with what rounding may have made of zero as 0. */
static double side(struct vec a, struct vec b, struct vec c, struct vec p)
{
    struct vec u = vec_sub(b, a), v = vec_sub(c, a), w = vec_sub(p, a);
    double s = vec_dot(vec_cross(u, v), w);
    double size = (fabs(u.x) + fabs(u.y) + fabs(u.z)) * (fabs(v.x) + fabs(v.y) + fabs(v.z)) *
                  (fabs(w.x) + fabs(w.y) + fabs(w.z));
    return fabs(s) <= 1e-13 * size ? 0 : s;
}

/* The open segment pq passes through the open triangle abc. */
static bool segment_pierces(struct vec p, struct vec q, const struct vec t[3])
{
    double sp = side(t[0], t[1], t[2], p), sq = side(t[0], t[1], t[2], q);
    if (sp == 0 || sq == 0 || (sp > 0) == (sq > 0))
        return false;
    double a = side(p, q, t[0], t[1]), b = side(p, q, t[1], t[2]), c = side(p, q, t[2], t[0]);
    return (a > 0 && b > 0 && c > 0) || (a < 0 && b < 0 && c < 0);
}

static bool plane_separates(const struct vec t[3], const struct vec other[3])
{
    double a = side(t[0], t[1], t[2], other[0]);
    double b = side(t[0], t[1], t[2], other[1]);
    double c = side(t[0], t[1], t[2], other[2]);
    return (a >= 0 && b >= 0 && c >= 0) || (a <= 0 && b <= 0 && c <= 0);
}

static bool triangles_cross(const struct mesh *mesh, uint32_t one, uint32_t two)
{
    const uint32_t *a = mesh->triangles + 3 * (size_t)one, *b = mesh->triangles + 3 * (size_t)two;
    int shared = 0;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            shared += a[i] == b[j];
    if (shared > 1)
        return false;
    struct vec p[3], q[3];
    for (int i = 0; i < 3; i++) {
        p[i] = mesh_corner(mesh, one, i);
        q[i] = mesh_corner(mesh, two, i);
    }
    if (plane_separates(p, q) || plane_separates(q, p))
        return false;
    for (int i = 0; i < 3; i++)
        if (segment_pierces(p[i], p[(i + 1) % 3], q) || segment_pierces(q[i], q[(i + 1) % 3], p))
            return true;
    return false;
}

static bool triangle_boxes_touch(const struct mesh *mesh, uint32_t one, uint32_t two)
{
    const uint32_t *a = mesh->triangles + 3 * (size_t)one, *b = mesh->triangles + 3 * (size_t)two;
    for (size_t k = 0; k < 3; k++) {
        float a0 = mesh->xyz[3 * (size_t)a[0] + k], a1 = mesh->xyz[3 * (size_t)a[1] + k],
              a2 = mesh->xyz[3 * (size_t)a[2] + k];
        float b0 = mesh->xyz[3 * (size_t)b[0] + k], b1 = mesh->xyz[3 * (size_t)b[1] + k],
              b2 = mesh->xyz[3 * (size_t)b[2] + k];
        float a_low = a0 < a1 ? a0 : a1, a_high = a0 < a1 ? a1 : a0;
        float b_low = b0 < b1 ? b0 : b1, b_high = b0 < b1 ? b1 : b0;
        a_low = a2 < a_low ? a2 : a_low;
        a_high = a2 > a_high ? a2 : a_high;
        b_low = b2 < b_low ? b2 : b_low;
        b_high = b2 > b_high ? b2 : b_high;
        if (a_low > b_high || b_low > a_high)
            return false;
    }
    return true;
}

static void leaves_cross(struct crossing *c, const struct bvh_node *a, const struct bvh_node *b)
{
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t j = a == b ? i + 1 : 0; j < b->count; j++) {
            uint32_t one = c->bvh->order[a->first + i], two = c->bvh->order[b->first + j];
            c->tests++;
            if ((c->crossed[one] && c->crossed[two]) ||
                !triangle_boxes_touch(c->bvh->mesh, one, two) ||
                !triangles_cross(c->bvh->mesh, one, two))
                continue;
            c->crossed[one] = c->crossed[two] = 1;
        }
}

/* Depth is at most twice that of the tree. */
static void nodes_cross(struct crossing *c, uint32_t one, uint32_t two)
{
    const struct bvh_node *a = &c->bvh->nodes[one], *b = &c->bvh->nodes[two];
    if (c->tests > c->max_tests || !boxes_touch(a, b))
        return;
    if (a->count && b->count) {
        leaves_cross(c, a, b);
    } else if (one == two) {
        nodes_cross(c, a->first, a->first);
        nodes_cross(c, a->first + 1, a->first + 1);
        nodes_cross(c, a->first, a->first + 1);
    } else if (b->count || (!a->count && one < two)) {
        nodes_cross(c, a->first, two);
        nodes_cross(c, a->first + 1, two);
    } else {
        nodes_cross(c, one, b->first);
        nodes_cross(c, one, b->first + 1);
    }
}

int bvh_self_intersections(const struct bvh *bvh, size_t *count, size_t max_tests, struct err *err)
{
    size_t n = bvh->mesh->triangle_count;
    struct crossing c = {.bvh = bvh, .crossed = calloc(n + 1, 1), .max_tests = max_tests};
    if (!c.crossed)
        return FAIL(err, ERR_LIMIT, "no memory for crossings of %zu triangles", n);
    if (n)
        nodes_cross(&c, 0, 0);
    *count = 0;
    for (size_t i = 0; i < n; i++)
        *count += c.crossed[i];
    free(c.crossed);
    return 0;
}
