/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rays that only ask whether anything is in the way, and the mesh seen by many of them. */
#include "print/measure/visible.h"

#include <stdbool.h>
#include <string.h>

#include "print/measure/boxes.h"

#define RAYS 24
#define CLUSTER 16 /* triangles of the tree's order that one ray may speak for */

struct ray {
    double o[3], d[3];
    double from;
    uint32_t skip;
};

static bool hits_triangle(const struct bvh_triangle *t, const struct ray *r)
{
    const float *a = t->at[0], *b = t->at[1], *c = t->at[2];
    struct vec e1 = {(double)b[0] - a[0], (double)b[1] - a[1], (double)b[2] - a[2]};
    struct vec e2 = {(double)c[0] - a[0], (double)c[1] - a[1], (double)c[2] - a[2]};
    struct vec s = {r->o[0] - a[0], r->o[1] - a[1], r->o[2] - a[2]};
    struct vec d = {r->d[0], r->d[1], r->d[2]}, p = vec_cross(d, e2);
    double det = vec_dot(e1, p), u = vec_dot(s, p);
    if (det == 0 || (det > 0 ? u < 0 || u > det : u > 0 || u < det))
        return false;
    struct vec q = vec_cross(s, e1);
    double v2 = vec_dot(d, q);
    if (det > 0 ? v2 < 0 || u + v2 > det : v2 > 0 || u + v2 < det)
        return false;
    return vec_dot(e2, q) / det >= r->from;
}

struct visit {
    int level;
    uint32_t node;
};

/* Bits in the order in which the boxes of a node lie along the ray, but for a tie: what is in the
 * way is often near. */
static bool is_blocked(const struct bvh *bvh, const struct ray *r)
{
    const struct boxes *boxes = bvh->boxes;
    const struct boxes_ray thin = boxes_ray_make(bvh, r->o, r->d);
    const float from = (float)r->from;
    struct visit stack[4 * BOXES_LEVELS] = {{boxes->levels - 1, 0}};
    for (size_t top = 1; top > 0;) {
        struct visit v = stack[--top];
        four enter;
        unsigned in = boxes_entered(&enter, &boxes->level[v.level][v.node], &thin, from, INFINITY);
        for (; v.level == 0 && in; in &= in - 1) {
            uint32_t at = 4 * v.node + (uint32_t)__builtin_ctz(in);
            if (hits_triangle(&bvh->corners[at], r) && bvh->order[at] != r->skip)
                return true;
        }
        float last[4];
        for (size_t bottom = top; in; in &= in - 1) {
            uint32_t i = (uint32_t)__builtin_ctz(in);
            size_t at = top++;
            for (; at > bottom && last[at - 1 - bottom] < enter[i]; at--) {
                stack[at] = stack[at - 1];
                last[at - bottom] = last[at - 1 - bottom];
            }
            stack[at] = (struct visit){v.level - 1, 4 * v.node + i};
            last[at - bottom] = enter[i];
        }
    }
    return false;
}

static struct ray ray_from(const struct bvh *bvh, struct vec p, uint32_t skip)
{
    struct ray r = {.o = {p.x, p.y, p.z}, .skip = skip};
    const struct bvh_node *root = &bvh->nodes[0];
    for (int k = 0; k < 3; k++)
        r.from = fmax(r.from, 1e-6 * ((double)root->high[k] - root->low[k]));
    return r;
}

static bool escapes(const struct bvh *bvh, struct ray *r, struct vec d)
{
    r->d[0] = d.x, r->d[1] = d.y, r->d[2] = d.z;
    return !is_blocked(bvh, r);
}

/* Direction i of n, spread evenly over the half sphere around z, the steepest first. */
static struct vec spread(unsigned i, unsigned n)
{
    double z = 1 - (i + 0.3) / n, r = sqrt(1 - z * z), turn = 2.399963229728653 * i;
    return (struct vec){r * cos(turn), r * sin(turn), z};
}

unsigned bvh_escapes(const struct bvh *bvh, struct vec p, struct vec towards, uint32_t skip,
                     unsigned rays, unsigned enough)
{
    struct ray r = ray_from(bvh, p, skip);
    struct vec n = vec_unit(towards);
    struct vec other = fabs(n.x) < 0.6 ? (struct vec){1, 0, 0} : (struct vec){0, 1, 0};
    struct vec u = vec_unit(vec_cross(n, other)), v = vec_cross(n, u);
    unsigned out = 0;
    for (unsigned i = 0; i < rays && (!enough || out < enough); i++) {
        struct vec s = spread(i, rays);
        struct vec d = vec_add(vec_scale(n, s.z), vec_add(vec_scale(u, s.x), vec_scale(v, s.y)));
        out += escapes(bvh, &r, d);
    }
    return out;
}

int bvh_sees(const struct bvh *bvh, struct vec p, uint32_t t)
{
    struct vec n = mesh_normal2(bvh->mesh, t);
    return bvh_escapes(bvh, p, n, t, RAYS / 2, 1) ||
           bvh_escapes(bvh, p, vec_scale(n, -1), t, RAYS / 2, 1);
}

static struct vec middle(const struct mesh *mesh, uint32_t t)
{
    struct vec sum = vec_add(mesh_corner(mesh, t, 0), mesh_corner(mesh, t, 1));
    return vec_scale(vec_add(sum, mesh_corner(mesh, t, 2)), 1.0 / 3);
}

static bool share_corner(const struct mesh *mesh, uint32_t a, uint32_t b)
{
    const uint32_t *p = mesh->triangles + 3 * (size_t)a, *q = mesh->triangles + 3 * (size_t)b;
    for (int i = 0; i < 3; i++)
        if (p[i] == q[0] || p[i] == q[1] || p[i] == q[2])
            return true;
    return false;
}

/* What hangs on a triangle that is seen and faces the same way is seen too. */
static void spread_seen(uint8_t *seen, const struct bvh *bvh, const uint32_t *order, size_t count,
                        uint32_t from)
{
    uint32_t queue[CLUSTER];
    size_t length = 0;
    queue[length++] = from;
    for (size_t i = 0; i < length; i++) {
        struct vec n = vec_unit(mesh_normal2(bvh->mesh, queue[i]));
        for (size_t j = 0; j < count; j++) {
            uint32_t other = order[j];
            if (seen[other] || !share_corner(bvh->mesh, queue[i], other) ||
                vec_dot(n, vec_unit(mesh_normal2(bvh->mesh, other))) < 0.7)
                continue;
            seen[other] = 1;
            queue[length++] = other;
        }
    }
}

static void look_at_cluster(uint8_t *seen, const struct bvh *bvh, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        uint32_t t = bvh->order[i];
        if (seen[t] || !bvh_sees(bvh, middle(bvh->mesh, t), t))
            continue;
        seen[t] = 1;
        spread_seen(seen, bvh, bvh->order + first, end - first, t);
    }
}

void mesh_visible(uint8_t *seen, const struct bvh *bvh)
{
    const size_t n = bvh->mesh->triangle_count;
    memset(seen, 0, n);
#pragma omp parallel for schedule(dynamic, 64)
    for (size_t c = 0; c < (n + CLUSTER - 1) / CLUSTER; c++) {
        size_t end = (c + 1) * CLUSTER;
        look_at_cluster(seen, bvh, c * CLUSTER, end < n ? end : n);
    }
}
