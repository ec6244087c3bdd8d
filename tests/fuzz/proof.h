/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A judge of self-intersections that shares no line with print/: orientation signs by expansion
 * arithmetic (Shewchuk 1997), so no rounding decides, and every pair whose boxes touch is tried.
 * Counts as strictly as geometry libraries do: two triangles without a common vertex may not even
 * touch.
 */
#ifndef TESTS_FUZZ_PROOF_H
#define TESTS_FUZZ_PROOF_H

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "print/mesh.h"

/* A sum of doubles that do not overlap, smallest first; the last one has the sum's sign. A
 * difference of floats needs 2 terms, a product of three such at most 2 * 8 * 8 = 128, six of them
 * 768. */
struct proof_sum {
    int n;
    double part[800];
};

static inline void proof_add(struct proof_sum *s, double b)
{
    int kept = 0;
    for (int i = 0; i < s->n; i++) {
        double a = s->part[i], sum = a + b, of_b = sum - a, rest = (a - (sum - of_b)) + (b - of_b);
        if (rest != 0)
            s->part[kept++] = rest;
        b = sum;
    }
    if (b != 0)
        s->part[kept++] = b;
    s->n = kept;
}

/* Adds x * y * z, each a pair of doubles. */
static inline void proof_add_product(struct proof_sum *s, const double x[2], const double y[2],
                                     const double z[2], double sign)
{
    for (int i = 0; i < 8; i++) {
        double a = x[i & 1], b = y[i >> 1 & 1], c = z[i >> 2] * sign;
        if (a == 0 || b == 0 || c == 0)
            continue;
        double ab = a * b, ab_rest = fma(a, b, -ab);
        double abc = ab * c, abc_rest = fma(ab, c, -abc);
        double low = ab_rest * c, low_rest = fma(ab_rest, c, -low);
        proof_add(s, low_rest);
        proof_add(s, low);
        proof_add(s, abc_rest);
        proof_add(s, abc);
    }
}

static inline int proof_sign(const struct proof_sum *s)
{
    return s->n == 0 ? 0 : s->part[s->n - 1] > 0 ? 1 : -1;
}

static inline void proof_minus(double out[2], float a, float b)
{
    double d = (double)a - b, of_b = d - a;
    out[0] = d;
    out[1] = (a - (d - of_b)) + (-(double)b - of_b);
}

/* Sign of the volume of the tetrahedron; + when d sees a, b, c run clockwise. */
static inline int proof_side(const float *a, const float *b, const float *c, const float *d)
{
    double u[3], v[3], w[3], det = 0, size = 0;
    for (int k = 0; k < 3; k++)
        u[k] = (double)a[k] - d[k], v[k] = (double)b[k] - d[k], w[k] = (double)c[k] - d[k];
    for (int k = 0; k < 3; k++) {
        int l = (k + 1) % 3, m = (k + 2) % 3;
        det += u[k] * (v[l] * w[m] - v[m] * w[l]);
        size += fabs(u[k]) * (fabs(v[l] * w[m]) + fabs(v[m] * w[l]));
    }
    if (fabs(det) > 1e-14 * size)
        return det > 0 ? 1 : -1;
    struct proof_sum sum = {0};
    double x[3][2], y[3][2], z[3][2];
    for (int k = 0; k < 3; k++) {
        proof_minus(x[k], a[k], d[k]);
        proof_minus(y[k], b[k], d[k]);
        proof_minus(z[k], c[k], d[k]);
    }
    for (int k = 0; k < 3; k++) {
        proof_add_product(&sum, x[k], y[(k + 1) % 3], z[(k + 2) % 3], 1);
        proof_add_product(&sum, x[k], y[(k + 2) % 3], z[(k + 1) % 3], -1);
    }
    return proof_sign(&sum);
}

/* The same in the plane of coordinates k and l. */
static inline int proof_turn(const float *a, const float *b, const float *c, int k, int l)
{
    static const double one[2] = {1, 0};
    struct proof_sum sum = {0};
    double u[2][2], v[2][2];
    proof_minus(u[0], a[k], c[k]);
    proof_minus(u[1], a[l], c[l]);
    proof_minus(v[0], b[k], c[k]);
    proof_minus(v[1], b[l], c[l]);
    proof_add_product(&sum, u[0], v[1], one, 1);
    proof_add_product(&sum, u[1], v[0], one, -1);
    return proof_sign(&sum);
}

static inline bool proof_within(float a, float b, float p)
{
    return a < b ? p >= a && p <= b : p >= b && p <= a;
}

/* Closed segments in the plane k, l have a point in common. */
static inline bool proof_segments_meet(const float *p, const float *q, const float *a,
                                       const float *b, int k, int l)
{
    int pa = proof_turn(p, q, a, k, l), pb = proof_turn(p, q, b, k, l);
    int ap = proof_turn(a, b, p, k, l), aq = proof_turn(a, b, q, k, l);
    if (pa * pb < 0 && ap * aq < 0)
        return true;
    return (!pa && proof_within(p[k], q[k], a[k]) && proof_within(p[l], q[l], a[l])) ||
           (!pb && proof_within(p[k], q[k], b[k]) && proof_within(p[l], q[l], b[l])) ||
           (!ap && proof_within(a[k], b[k], p[k]) && proof_within(a[l], b[l], p[l])) ||
           (!aq && proof_within(a[k], b[k], q[k]) && proof_within(a[l], b[l], q[l]));
}

/* The closed segment pq meets the closed triangle, all in one plane. */
static inline bool proof_flat_meet(const float *p, const float *q, const float *const t[3])
{
    for (int k = 0; k < 3; k++) {
        int l = (k + 1) % 3, way = proof_turn(t[0], t[1], t[2], k, l);
        if (!way)
            continue;
        bool inside = true;
        for (int i = 0; i < 3; i++) {
            if (proof_segments_meet(p, q, t[i], t[(i + 1) % 3], k, l))
                return true;
            inside = inside && proof_turn(t[i], t[(i + 1) % 3], p, k, l) == way;
        }
        return inside;
    }
    return false; /* a triangle without area: not counted */
}

static inline bool proof_pierces(const float *p, const float *q, const float *const t[3])
{
    int sp = proof_side(t[0], t[1], t[2], p), sq = proof_side(t[0], t[1], t[2], q);
    if (sp * sq > 0)
        return false;
    if (!sp && !sq)
        return proof_flat_meet(p, q, t);
    int a = proof_side(p, q, t[0], t[1]), b = proof_side(p, q, t[1], t[2]),
        c = proof_side(p, q, t[2], t[0]);
    return (a >= 0 && b >= 0 && c >= 0) || (a <= 0 && b <= 0 && c <= 0);
}

static inline bool proof_flat(const float *const t[3])
{
    return !proof_turn(t[0], t[1], t[2], 0, 1) && !proof_turn(t[0], t[1], t[2], 1, 2) &&
           !proof_turn(t[0], t[1], t[2], 2, 0);
}

/* Both share the edge from p to q: they cross when they lie folded onto each other. */
static inline bool proof_folded(const float *p, const float *q, const float *r, const float *s)
{
    if (proof_side(p, q, r, s))
        return false;
    for (int k = 0; k < 3; k++) {
        int way = proof_turn(p, q, r, k, (k + 1) % 3);
        if (way)
            return proof_turn(p, q, s, k, (k + 1) % 3) == way;
    }
    return false;
}

static inline bool proof_cross(const struct mesh *m, uint32_t one, uint32_t two)
{
    const uint32_t *f = m->triangles + 3 * (size_t)one, *g = m->triangles + 3 * (size_t)two;
    const float *a[3], *b[3];
    int shared = 0, at[3] = {0}, bt[3] = {0};
    for (int i = 0; i < 3; i++) {
        a[i] = m->xyz + 3 * (size_t)f[i];
        b[i] = m->xyz + 3 * (size_t)g[i];
        for (int j = 0; j < 3; j++)
            if (f[i] == g[j] && shared < 3)
                at[shared] = i, bt[shared++] = j;
    }
    if (proof_flat(a) || proof_flat(b))
        return false;
    if (shared == 3)
        return true;
    if (shared == 2)
        return proof_folded(a[at[0]], a[at[1]], a[3 - at[0] - at[1]], b[3 - bt[0] - bt[1]]);
    if (shared == 1)
        return proof_pierces(b[(bt[0] + 1) % 3], b[(bt[0] + 2) % 3], a) ||
               proof_pierces(a[(at[0] + 1) % 3], a[(at[0] + 2) % 3], b);
    for (int i = 0; i < 3; i++)
        if (proof_pierces(a[i], a[(i + 1) % 3], b) || proof_pierces(b[i], b[(i + 1) % 3], a))
            return true;
    return false;
}

struct proof_box {
    float low[3], high[3];
    uint32_t triangle;
};

static inline int proof_by_x(const void *a, const void *b)
{
    float x = ((const struct proof_box *)a)->low[0], y = ((const struct proof_box *)b)->low[0];
    return x < y ? -1 : x > y;
}

static inline bool proof_boxes_touch(const struct proof_box *a, const struct proof_box *b)
{
    for (int k = 1; k < 3; k++)
        if (a->low[k] > b->high[k] || b->low[k] > a->high[k])
            return false;
    return true;
}

/* Pairs of crossing triangles of a welded mesh, at most `most` of them; -1 without memory. */
static inline long proof_crossings(const struct mesh *m, long most)
{
    long found = 0;
    size_t n = m->triangle_count;
    struct proof_box *boxes = malloc((n + 1) * sizeof *boxes);
    if (!boxes)
        return -1;
    for (size_t t = 0; t < n; t++) {
        boxes[t].triangle = (uint32_t)t;
        for (size_t k = 0; k < 3; k++) {
            const float *x = m->xyz + k;
            float a = x[3 * (size_t)m->triangles[3 * t]],
                  b = x[3 * (size_t)m->triangles[3 * t + 1]],
                  c = x[3 * (size_t)m->triangles[3 * t + 2]];
            boxes[t].low[k] = fminf(a, fminf(b, c));
            boxes[t].high[k] = fmaxf(a, fmaxf(b, c));
        }
    }
    qsort(boxes, n, sizeof *boxes, proof_by_x);
    for (size_t i = 0; i < n && found < most; i++)
        for (size_t j = i + 1; j < n && boxes[j].low[0] <= boxes[i].high[0] && found < most; j++)
            found += proof_boxes_touch(&boxes[i], &boxes[j]) &&
                     proof_cross(m, boxes[i].triangle, boxes[j].triangle);
    free(boxes);
    return found;
}

#endif
