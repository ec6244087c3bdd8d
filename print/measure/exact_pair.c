/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Do two triangles meet beyond what they share? Answered exactly, touching included. */
#include <math.h>

#include "print/measure/exact.h"

/* The two axes to look along which a triangle with area keeps some: a, b, c turn left there. */
struct view {
    int x, y;
};

static bool find_view(struct view *view, const struct exact_triangle *t)
{
    for (int x = 0; x < 3; x++) {
        int turn = exact_turn(t->at[0], t->at[1], t->at[2], x, (x + 1) % 3);
        if (!turn)
            continue;
        view->x = turn > 0 ? x : (x + 1) % 3;
        view->y = turn > 0 ? (x + 1) % 3 : x;
        return true;
    }
    return false;
}

/* p and q lie in the triangle's plane: the closed segment meets the closed triangle unless one of
 * the three sides, or the segment's line, has it all on the far side. */
static bool segment_meets_flat(const float p[3], const float q[3], const struct exact_triangle *t,
                               struct view v)
{
    int left = 0, right = 0;
    for (int i = 0; i < 3; i++) {
        const float *a = t->at[i], *b = t->at[(i + 1) % 3];
        if (exact_turn(a, b, p, v.x, v.y) < 0 && exact_turn(a, b, q, v.x, v.y) < 0)
            return false;
        int s = exact_turn(p, q, a, v.x, v.y);
        left += s > 0;
        right += s < 0;
    }
    return left != 3 && right != 3;
}

/* sp, sq: on which side of the triangle's plane p and q are. */
static bool segment_meets(const float p[3], int sp, const float q[3], int sq,
                          const struct exact_triangle *t)
{
    struct view v;
    if (sp == sq)
        return sp == 0 && find_view(&v, t) && segment_meets_flat(p, q, t, v);
    int up = 0, down = 0;
    for (int i = 0; i < 3; i++) {
        int s = exact_side(p, q, t->at[i], t->at[(i + 1) % 3]);
        up += s > 0;
        down += s < 0;
    }
    return !up || !down;
}

/* A triangle's plane for many questions: its normal in doubles and what that may be off by. */
struct sight {
    const struct exact_triangle *of;
    double x, y, z, off;
};

static struct sight sight_of(const struct exact_triangle *t)
{
    double ux = (double)t->at[1][0] - t->at[0][0], vx = (double)t->at[2][0] - t->at[0][0];
    double uy = (double)t->at[1][1] - t->at[0][1], vy = (double)t->at[2][1] - t->at[0][1];
    double uz = (double)t->at[1][2] - t->at[0][2], vz = (double)t->at[2][2] - t->at[0][2];
    return (struct sight){t, uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx,
                          EXACT_FILTER * (fabs(ux) + fabs(uy) + fabs(uz)) *
                              (fabs(vx) + fabs(vy) + fabs(vz))};
}

/* exact_side with the triangle's corners as the first three points. */
static inline int side(const struct sight *s, const float p[3])
{
    const float *a = s->of->at[0];
    double x = (double)p[0] - a[0], y = (double)p[1] - a[1], z = (double)p[2] - a[2];
    double d = s->x * x + s->y * y + s->z * z, off = s->off * (fabs(x) + fabs(y) + fabs(z));
    if (d > off)
        return 1;
    if (d < -off)
        return -1;
    return off == 0 ? 0 : exact_side(a, s->of->at[1], s->of->at[2], p);
}

/* Where the corners of a triangle are; false when all are on one side. */
static bool straddles(int out[3], const struct exact_triangle *plane,
                      const struct exact_triangle *of)
{
    struct sight s = sight_of(plane);
    for (int i = 0; i < 3; i++)
        out[i] = side(&s, of->at[i]);
    return out[0] != out[1] || out[1] != out[2] || out[0] == 0;
}

/* The same for two of them, the third one being a corner of the plane's triangle. */
static bool straddle_two(int out[2], const struct exact_triangle *plane, const float p[3],
                         const float q[3])
{
    struct sight s = sight_of(plane);
    out[0] = side(&s, p);
    out[1] = side(&s, q);
    return out[0] != out[1] || out[0] == 0;
}

static bool meet_apart(const struct exact_triangle *a, const struct exact_triangle *b)
{
    int of_a[3], of_b[3];
    if (!straddles(of_b, a, b) || !straddles(of_a, b, a))
        return false;
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3;
        if (segment_meets(a->at[i], of_a[i], a->at[j], of_a[j], b) ||
            segment_meets(b->at[i], of_b[i], b->at[j], of_b[j], a))
            return true;
    }
    return false;
}

/* Corner i of a is corner j of b: beyond it they meet where a side across from it does. */
static bool meet_at_corner(const struct exact_triangle *a, int i, const struct exact_triangle *b,
                           int j)
{
    const float *a1 = a->at[(i + 1) % 3], *a2 = a->at[(i + 2) % 3];
    const float *b1 = b->at[(j + 1) % 3], *b2 = b->at[(j + 2) % 3];
    int of_b[2], of_a[2];
    return straddle_two(of_b, a, b1, b2) && straddle_two(of_a, b, a1, a2) &&
           (segment_meets(b1, of_b[0], b2, of_b[1], a) ||
            segment_meets(a1, of_a[0], a2, of_a[1], b));
}

/* The third corners r and s over the common side p q: in one plane and on one side of it. */
static bool folded(const float p[3], const float q[3], const float r[3], const float s[3])
{
    if (exact_side(p, q, r, s) != 0)
        return false;
    for (int x = 0; x < 3; x++) {
        int turn = exact_turn(p, q, r, x, (x + 1) % 3);
        if (turn)
            return turn == exact_turn(p, q, s, x, (x + 1) % 3);
    }
    return false;
}

static bool meet_at_all(const struct exact_triangle *a, const struct exact_triangle *b, int shared,
                        const int at_a[3], const int at_b[3])
{
    if (shared == 0)
        return meet_apart(a, b);
    if (shared == 1)
        return meet_at_corner(a, at_a[0], b, at_b[0]);
    return folded(a->at[at_a[0]], a->at[at_a[1]], a->at[3 - at_a[0] - at_a[1]],
                  b->at[3 - at_b[0] - at_b[1]]);
}

static bool no_area(const struct exact_triangle *t)
{
    return exact_collinear(t->at[0], t->at[1], t->at[2]);
}

enum exact_meeting exact_triangles(const struct exact_triangle *a, const struct exact_triangle *b)
{
    int at_a[3] = {0}, at_b[3] = {0}, shared = 0;
    unsigned equal = 0;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            equal |= (unsigned)(a->corner[i] == b->corner[j]) << (3 * i + j);
    for (; equal && shared < 3; equal &= equal - 1, shared++) {
        at_a[shared] = __builtin_ctz(equal) / 3;
        at_b[shared] = __builtin_ctz(equal) % 3;
    }
    /* One corner of the one is two of the other, which has no area then. */
    if (shared == 2 && (at_a[0] == at_a[1] || at_b[0] == at_b[1]))
        return EXACT_APART;
    if (shared < 3 && !meet_at_all(a, b, shared, at_a, at_b))
        return EXACT_APART;
    if (no_area(a) || no_area(b))
        return EXACT_APART;
    return shared < 3 ? EXACT_MEET : EXACT_COPIES;
}
