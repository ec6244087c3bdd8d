/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The points of a drawing: exact as quotients of whole numbers, near enough as doubles for nearly
 * every question about them, and rounded for the mesh. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "print/repair/arrange_parts.h"

static struct big big_of(const struct number *n)
{
    struct big out = {.sign = n->sign, .size = n->size};
    memcpy(out.limb, n->limb, sizeof n->limb);
    return out;
}

static struct number number_of(const struct big *b)
{
    struct number out = {.sign = b->sign, .size = b->size};
    assert(b->size <= 3);
    memcpy(out.limb, b->limb, (size_t)b->size * sizeof *out.limb);
    return out;
}

/* x / w to the nearest whole number, halves up. near is x / w to within 2^-26. */
static int32_t round_quotient(const struct big *x, const struct big *w, double near)
{
    double up = near + 0.5, edge = rint(up);
    if (fabs(up - edge) > 1e-6)
        return (int32_t)floor(up);
    /* 2 x + w against 2 edge w */
    struct big twice = big_add(x, x), k = big_from(2 * (int128)edge - 1);
    struct big limit = big_mul(&k, w), rest = big_sub(&twice, &limit);
    return (int32_t)edge - (rest.sign < 0);
}

static void point_set(const struct sketch *s, struct sketch_point *p, const struct big x[3],
                      const struct big *w)
{
    double bottom = big_double(w), near[3];
    for (int k = 0; k < 3; k++) {
        near[k] = big_double(&x[k]) / bottom;
        p->rounded[k] = round_quotient(&x[k], w, near[k]);
    }
    p->x = near[s->axis[0]];
    p->y = near[s->axis[1]];
    p->exact[0] = number_of(&x[s->axis[0]]);
    p->exact[1] = number_of(&x[s->axis[1]]);
    p->exact[2] = number_of(w);
}

void sketch_point_set(const struct sketch *s, struct sketch_point *p, const struct spot *spot)
{
    struct big x[3] = {big_from(spot->x[0]), big_from(spot->x[1]), big_from(spot->x[2])};
    struct big w = big_from(spot->w);
    point_set(s, p, x, &w);
}

static void cross(int128 out[3], const struct plane *a, const struct plane *b)
{
    for (int k = 0; k < 3; k++) {
        int l = (k + 1) % 3, m = (k + 2) % 3;
        out[k] = (int128)a->normal[l] * b->normal[m] - (int128)a->normal[m] * b->normal[l];
    }
}

static struct big product(int128 a, int128 b)
{
    struct big p = big_from(a), q = big_from(b);
    return big_mul(&p, &q);
}

static struct big sum_of_products(const int128 a[3], const int128 b[3])
{
    struct big sum = product(a[0], b[0]);
    for (int i = 1; i < 3; i++) {
        struct big term = product(a[i], b[i]);
        sum = big_add(&sum, &term);
    }
    return sum;
}

void sketch_point_cross(const struct sketch *s, struct sketch_point *p, const struct plane *b,
                        const struct plane *c)
{
    const struct plane *a = &s->tile.plane;
    int128 bc[3], ca[3], ab[3];
    const int128 constants[3] = {a->constant, b->constant, c->constant};
    const int128 normal[3] = {a->normal[0], a->normal[1], a->normal[2]};
    cross(bc, b, c);
    cross(ca, c, a);
    cross(ab, a, b);
    struct big w = sum_of_products(normal, bc), x[3];
    for (int k = 0; k < 3; k++) {
        const int128 column[3] = {bc[k], ca[k], ab[k]};
        x[k] = sum_of_products(constants, column);
        x[k].sign *= w.sign;
    }
    w.sign *= w.sign;
    point_set(s, p, x, &w);
}

/* The determinant of three rows x, y, w with w > 0. */
static __attribute__((noinline)) int
turn_exact(const struct sketch_point *a, const struct sketch_point *b, const struct sketch_point *c)
{
    struct big ax = big_of(&a->exact[0]), ay = big_of(&a->exact[1]), aw = big_of(&a->exact[2]);
    struct big bx = big_of(&b->exact[0]), by = big_of(&b->exact[1]), bw = big_of(&b->exact[2]);
    struct big cx = big_of(&c->exact[0]), cy = big_of(&c->exact[1]), cw = big_of(&c->exact[2]);
    struct big x = big_cross(&by, &cw, &cy, &bw), y = big_cross(&cx, &bw, &bx, &cw);
    struct big w = big_cross(&bx, &cy, &by, &cx);
    struct big xx = big_mul(&ax, &x), yy = big_mul(&ay, &y), ww = big_mul(&aw, &w);
    struct big sum = big_add(&xx, &yy);
    return big_add(&sum, &ww).sign;
}

int sketch_turn(const struct sketch *s, int32_t i, int32_t j, int32_t k)
{
    const struct sketch_point *a = &s->points[i], *b = &s->points[j], *c = &s->points[k];
    double ux = b->x - a->x, uy = b->y - a->y, vx = c->x - a->x, vy = c->y - a->y;
    double left = ux * vy, right = uy * vx, det = left - right;
    /* Each difference is off by 2^-25 at most, so each product by that times the other factor. */
    double bound = 3.2e-8 * (fabs(ux) + fabs(uy) + fabs(vx) + fabs(vy) + 1) +
                   1e-15 * (fabs(left) + fabs(right));
    if (fabs(det) > bound)
        return det > 0 ? 1 : -1;
    return turn_exact(a, b, c);
}
