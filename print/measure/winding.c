/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The generalized winding number on the tree: exact solid angles near by, dipoles far off. */
#include "print/measure/bvh.h"

#include <stdlib.h>

/* A cluster is far when the point is this many radii away: up to 0.03 off was measured in a ball,
 * far from the 1/2 that decides. */
#define FAR 2.0
#define PI 3.14159265358979323846

static void dipole_leaf(const struct bvh *bvh, const struct bvh_node *node, struct bvh_dipole *out)
{
    double area = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t t = bvh->order[node->first + i];
        struct vec n = vec_scale(mesh_normal2(bvh->mesh, t), 0.5);
        struct vec middle = {0};
        for (int c = 0; c < 3; c++)
            middle = vec_add(middle, vec_scale(mesh_corner(bvh->mesh, t, c), 1.0 / 3));
        double a = vec_length(n) + 1e-300;
        out->normal = vec_add(out->normal, n);
        out->centre = vec_add(out->centre, vec_scale(middle, a));
        area += a;
    }
    out->centre = vec_scale(out->centre, 1 / area);
    out->radius = area; /* kept here until the parents are summed */
}

static void dipole_radius(const struct bvh_node *node, struct bvh_dipole *dipole)
{
    const double c[3] = {dipole->centre.x, dipole->centre.y, dipole->centre.z};
    double sum = 0;
    for (int k = 0; k < 3; k++) {
        double a = fabs(node->low[k] - c[k]), b = fabs(node->high[k] - c[k]);
        sum += a > b ? a * a : b * b;
    }
    dipole->radius = sqrt(sum);
}

int bvh_add_dipoles(struct bvh *bvh, struct err *err)
{
    bvh->dipoles = calloc(bvh->node_count, sizeof *bvh->dipoles);
    if (!bvh->dipoles)
        return FAIL(err, ERR_LIMIT, "no memory for %zu winding clusters", bvh->node_count);
    if (bvh->mesh->triangle_count == 0) /* one node, neither leaf nor parent */
        return 0;
    /* Children have larger numbers than their parent. */
    for (size_t i = bvh->node_count; i-- > 0;) {
        const struct bvh_node *node = &bvh->nodes[i];
        struct bvh_dipole *d = &bvh->dipoles[i];
        if (node->count) {
            dipole_leaf(bvh, node, d);
            continue;
        }
        const struct bvh_dipole *l = &bvh->dipoles[node->first], *r = l + 1;
        d->normal = vec_add(l->normal, r->normal);
        d->radius = l->radius + r->radius;
        d->centre =
            vec_scale(vec_add(vec_scale(l->centre, l->radius), vec_scale(r->centre, r->radius)),
                      1 / d->radius);
    }
    for (size_t i = 0; i < bvh->node_count; i++)
        dipole_radius(&bvh->nodes[i], &bvh->dipoles[i]);
    return 0;
}

/* A sum of angles as a product of complex numbers: one arc tangent for all. */
struct turning {
    double re, im;
    double wraps;
};

static bool is_up(double re, double im)
{
    return im > 0 || (im == 0 && re < 0);
}

/* Adds the angle of re + i im, within -pi..pi. Only two on one side of zero can leave that. */
static void turning_add(struct turning *t, double re, double im)
{
    double r = t->re * re - t->im * im, i = t->re * im + t->im * re;
    if (im > 0 || (im == 0 && re < 0))
        t->wraps += is_up(t->re, t->im) && !is_up(r, i) && (i < 0 || r > 0);
    else if (im < 0 && t->im < 0)
        t->wraps -= is_up(r, i);
    else if (im == 0)
        return;
    double size = fabs(r) + fabs(i);
    if (!(size > 1e-90 && size < 1e90)) {
        if (!(size > 0))
            return; /* a corner is where we look from */
        r /= size, i /= size;
    }
    t->re = r;
    t->im = i;
}

/* Half of Van Oosterom and Strackee's solid angle of one triangle. */
static void add_solid_angle(struct turning *sum, struct vec a, struct vec b, struct vec c)
{
    double la = vec_length(a), lb = vec_length(b), lc = vec_length(c);
    double det = vec_dot(a, vec_cross(b, c));
    double div = la * lb * lc + vec_dot(a, b) * lc + vec_dot(b, c) * la + vec_dot(c, a) * lb;
    turning_add(sum, div, det);
}

double bvh_winding(const struct bvh *bvh, struct vec p)
{
    uint32_t stack[80];
    size_t top = 0;
    double sum = 0;
    struct turning near = {.re = 1};
    if (bvh->mesh->triangle_count)
        stack[top++] = 0;
    while (top) {
        uint32_t at = stack[--top];
        const struct bvh_node *node = &bvh->nodes[at];
        const struct bvh_dipole *dipole = &bvh->dipoles[at];
        struct vec to = vec_sub(dipole->centre, p);
        double d2 = vec_dot(to, to);
        if (d2 > FAR * FAR * dipole->radius * dipole->radius) {
            sum += vec_dot(to, dipole->normal) / (d2 * sqrt(d2));
            continue;
        }
        if (!node->count) {
            stack[top++] = node->first;
            stack[top++] = node->first + 1;
            continue;
        }
        for (uint32_t i = 0; i < node->count; i++) {
            const struct bvh_triangle *t = &bvh->corners[node->first + i];
            add_solid_angle(&near, vec_sub(bvh_corner(t, 0), p), vec_sub(bvh_corner(t, 1), p),
                            vec_sub(bvh_corner(t, 2), p));
        }
    }
    return sum / (4 * PI) + atan2(near.im, near.re) / (2 * PI) + near.wraps;
}
