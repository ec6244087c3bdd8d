/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nearest points and rays. The tree is built in bvh_build.c. */

#include <stdbool.h>
#include <stdlib.h>

#include "print/measure/boxes.h"

void bvh_free(struct bvh *bvh)
{
    if (!bvh)
        return;
    free(bvh->nodes);
    free(bvh->dipoles);
    free(bvh->order);
    free(bvh->corners);
    boxes_free(bvh->boxes);
    *bvh = (struct bvh){0};
}

static double box_distance2(const struct bvh_node *node, const double p[3])
{
    double sum = 0;
    for (int k = 0; k < 3; k++) {
        double d = p[k] < node->low[k]    ? node->low[k] - p[k]
                   : p[k] > node->high[k] ? p[k] - node->high[k]
                                          : 0;
        sum += d * d;
    }
    return sum;
}

static struct vec on_segment(struct vec p, struct vec a, struct vec b)
{
    struct vec ab = vec_sub(b, a);
    double length2 = vec_dot(ab, ab), t = length2 > 0 ? vec_dot(vec_sub(p, a), ab) / length2 : 0;
    return vec_add(a, vec_scale(ab, t < 0 ? 0 : t > 1 ? 1 : t));
}

/* Inside the triangle's prism: the foot on its plane; else the nearest point of its three sides. */
static struct vec on_triangle(struct vec p, struct vec a, struct vec b, struct vec c)
{
    struct vec n = vec_cross(vec_sub(b, a), vec_sub(c, a));
    double n2 = vec_dot(n, n);
    if (n2 > 0 && vec_dot(vec_cross(vec_sub(b, a), vec_sub(p, a)), n) >= 0 &&
        vec_dot(vec_cross(vec_sub(c, b), vec_sub(p, b)), n) >= 0 &&
        vec_dot(vec_cross(vec_sub(a, c), vec_sub(p, c)), n) >= 0)
        return vec_sub(p, vec_scale(n, vec_dot(vec_sub(p, a), n) / n2));
    struct vec best = on_segment(p, a, b);
    double best2 = vec_dot(vec_sub(p, best), vec_sub(p, best));
    const struct vec others[2] = {on_segment(p, b, c), on_segment(p, c, a)};
    for (int i = 0; i < 2; i++) {
        struct vec d = vec_sub(p, others[i]);
        if (vec_dot(d, d) < best2) {
            best2 = vec_dot(d, d);
            best = others[i];
        }
    }
    return best;
}

struct nearest {
    struct vec p, at;
    double best2;
    uint32_t triangle;
};

static void nearest_leaf(const struct bvh *bvh, const struct bvh_node *node, struct nearest *q)
{
    for (uint32_t i = node->first; i < node->first + node->count; i++) {
        const struct bvh_triangle *t = &bvh->corners[i];
        struct vec at = on_triangle(q->p, bvh_corner(t, 0), bvh_corner(t, 1), bvh_corner(t, 2));
        struct vec d = vec_sub(q->p, at);
        double d2 = vec_dot(d, d);
        if (d2 < q->best2) {
            q->best2 = d2;
            q->at = at;
            q->triangle = bvh->order[i];
        }
    }
}

double bvh_nearest(const struct bvh *bvh, struct vec p, double within, struct vec *at,
                   uint32_t *triangle)
{
    struct nearest q = {.p = p, .at = p, .best2 = within * within, .triangle = UINT32_MAX};
    const double flat[3] = {p.x, p.y, p.z};
    struct {
        uint32_t node;
        double distance2;
    } stack[80];
    size_t top = 0;
    if (bvh->mesh->triangle_count) {
        stack[top].node = 0;
        stack[top++].distance2 = box_distance2(&bvh->nodes[0], flat);
    }
    while (top) {
        top--;
        if (stack[top].distance2 >= q.best2)
            continue;
        const struct bvh_node *node = &bvh->nodes[stack[top].node];
        if (node->count) {
            nearest_leaf(bvh, node, &q);
            continue;
        }
        double left = box_distance2(&bvh->nodes[node->first], flat);
        double right = box_distance2(&bvh->nodes[node->first + 1], flat);
        uint32_t first = node->first, left_is_near = left < right;
        stack[top].node = first + left_is_near;
        stack[top++].distance2 = left_is_near ? right : left;
        stack[top].node = first + 1 - left_is_near;
        stack[top++].distance2 = left_is_near ? left : right;
    }
    if (at)
        *at = q.at;
    if (triangle)
        *triangle = q.triangle;
    return sqrt(q.best2);
}

static double ray_triangle(struct vec o, struct vec d, struct vec a, struct vec b, struct vec c)
{
    struct vec e1 = vec_sub(b, a), e2 = vec_sub(c, a), s = vec_sub(o, a);
    struct vec p = vec_cross(d, e2);
    double det = vec_dot(e1, p);
    if (det == 0)
        return INFINITY;
    double u = vec_dot(s, p) / det;
    struct vec q = vec_cross(s, e1);
    double v = vec_dot(d, q) / det;
    if (u < 0 || v < 0 || u + v > 1)
        return INFINITY;
    return vec_dot(e2, q) / det;
}

struct ray {
    struct vec origin, direction;
    struct boxes_ray thin;
    double from, best;
    uint32_t skip, triangle, node; /* what was hit, and the node of level 0 that it is in */
};

/* Of equal distances the one in the later node counts, and there the first, whatever the order in
 * which they are visited. */
static void ray_triangles(const struct bvh *bvh, struct ray *r, uint32_t node, unsigned in)
{
    for (; in; in &= in - 1) {
        uint32_t place = 4 * node + (uint32_t)__builtin_ctz(in);
        const struct bvh_triangle *t = &bvh->corners[place];
        double at = ray_triangle(r->origin, r->direction, bvh_corner(t, 0), bvh_corner(t, 1),
                                 bvh_corner(t, 2));
        bool nearer = at < r->best || (at == r->best && node > r->node);
        if (!(at >= r->from && nearer) || at == INFINITY || bvh->order[place] == r->skip)
            continue;
        r->best = at;
        r->triangle = bvh->order[place];
        r->node = node;
    }
}

struct visit {
    float enter;
    int level;
    uint32_t node;
};

/* The farthest lowest. */
static size_t push_sorted(struct visit *stack, size_t top, size_t bottom, struct visit visit)
{
    size_t at = top;
    for (; at > bottom && stack[at - 1].enter < visit.enter; at--)
        stack[at] = stack[at - 1];
    stack[at] = visit;
    return top + 1;
}

double bvh_ray(const struct bvh *bvh, struct vec origin, struct vec direction, double from,
               uint32_t skip, uint32_t *triangle)
{
    const double o[3] = {origin.x, origin.y, origin.z};
    const double d[3] = {direction.x, direction.y, direction.z};
    const struct boxes *boxes = bvh->boxes;
    struct ray r = {.origin = origin,
                    .direction = direction,
                    .thin = boxes_ray_make(bvh, o, d),
                    .from = from,
                    .best = INFINITY,
                    .skip = skip,
                    .triangle = UINT32_MAX};
    struct visit stack[4 * BOXES_LEVELS] = {{0, boxes->levels - 1, 0}};
    for (size_t top = 1; top > 0;) {
        struct visit v = stack[--top];
        float until = (float)r.best * BOXES_MORE;
        if (v.enter > until)
            continue;
        four enter;
        unsigned in = boxes_entered(&enter, &boxes->level[v.level][v.node], &r.thin, 0, until);
        if (v.level == 0) {
            ray_triangles(bvh, &r, v.node, in);
            continue;
        }
        for (size_t bottom = top; in; in &= in - 1) {
            int i = __builtin_ctz(in);
            struct visit below = {enter[i], v.level - 1, 4 * v.node + (uint32_t)i};
            top = push_sorted(stack, top, bottom, below);
        }
    }
    if (triangle && r.triangle != UINT32_MAX)
        *triangle = r.triangle;
    return r.best;
}
