/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Do two triangles cross or overlap? The signs are sure: doubles where they suffice, else 113 bits,
 * which hold every product of differences of floats that lie within 2^10 of one another in size. */
#include "print/shape/decimate_parts.h"

typedef __float128 wide;

static int side_wide(struct vec a, struct vec b, struct vec c, struct vec p)
{
    wide ux = (wide)b.x - a.x, uy = (wide)b.y - a.y, uz = (wide)b.z - a.z;
    wide vx = (wide)c.x - a.x, vy = (wide)c.y - a.y, vz = (wide)c.z - a.z;
    wide wx = (wide)p.x - a.x, wy = (wide)p.y - a.y, wz = (wide)p.z - a.z;
    wide s = (uy * vz - uz * vy) * wx + (uz * vx - ux * vz) * wy + (ux * vy - uy * vx) * wz;
    return (s > 0) - (s < 0);
}

/* On which side of the plane abc p lies: 1, 0 or -1. */
static int side(struct vec a, struct vec b, struct vec c, struct vec p)
{
    struct vec u = vec_sub(b, a), v = vec_sub(c, a), w = vec_sub(p, a);
    double x = u.y * v.z - u.z * v.y, y = u.z * v.x - u.x * v.z, z = u.x * v.y - u.y * v.x;
    double s = x * w.x + y * w.y + z * w.z;
    double size = (fabs(u.y * v.z) + fabs(u.z * v.y)) * fabs(w.x) +
                  (fabs(u.z * v.x) + fabs(u.x * v.z)) * fabs(w.y) +
                  (fabs(u.x * v.y) + fabs(u.y * v.x)) * fabs(w.z);
    if (fabs(s) > 1e-15 * size)
        return s > 0 ? 1 : -1;
    return size == 0 ? 0 : side_wide(a, b, c, p);
}

/* Exact for floats: the differences and the products fit a double. */
static int turn(const double a[2], const double b[2], const double c[2])
{
    double s = (b[0] - a[0]) * (c[1] - a[1]), t = (b[1] - a[1]) * (c[0] - a[0]);
    return (s > t) - (s < t);
}

static void flatten(double out[3][2], const struct vec p[3], int axis)
{
    for (int i = 0; i < 3; i++) {
        out[i][0] = axis == 0 ? p[i].y : p[i].x;
        out[i][1] = axis == 2 ? p[i].y : p[i].z;
    }
}

/* A side of a has all of b on or beyond it. */
static bool side_parts(double a[3][2], double b[3][2])
{
    int way = turn(a[0], a[1], a[2]);
    for (int i = 0; i < 3; i++) {
        int outside = 0;
        for (int j = 0; j < 3; j++)
            outside += turn(a[i], a[(i + 1) % 3], b[j]) * way <= 0;
        if (outside == 3)
            return true;
    }
    return false;
}

/* In one plane: do the insides overlap? */
static bool overlap_flat(const struct vec p[3], const struct vec q[3])
{
    struct vec n = vec_cross(vec_sub(p[1], p[0]), vec_sub(p[2], p[0]));
    int axis = fabs(n.x) > fabs(n.y) ? 0 : 1;
    axis = fabs(n.z) > fabs(axis ? n.y : n.x) ? 2 : axis;
    double a[3][2], b[3][2];
    flatten(a, p, axis);
    flatten(b, q, axis);
    return !side_parts(a, b) && !side_parts(b, a);
}

/* The closed segment ab and the closed triangle t have a point in common; a and b are not both in
 * its plane. */
static bool segment_meets(struct vec a, struct vec b, const struct vec t[3])
{
    int one = side(a, b, t[0], t[1]), two = side(a, b, t[1], t[2]), three = side(a, b, t[2], t[0]);
    return (one >= 0 && two >= 0 && three >= 0) || (one <= 0 && two <= 0 && three <= 0);
}

static bool signs_part(const int s[3])
{
    return (s[0] > 0 && s[1] > 0 && s[2] > 0) || (s[0] < 0 && s[1] < 0 && s[2] < 0);
}

/* No corner in common: touching counts as meeting. */
static bool apart_meet(const struct vec p[3], const struct vec q[3])
{
    int sp[3], sq[3];
    for (int i = 0; i < 3; i++)
        sq[i] = side(p[0], p[1], p[2], q[i]);
    if (signs_part(sq))
        return false;
    for (int i = 0; i < 3; i++)
        sp[i] = side(q[0], q[1], q[2], p[i]);
    if (signs_part(sp))
        return false;
    if (!sq[0] && !sq[1] && !sq[2])
        return overlap_flat(p, q);
    for (int i = 0; i < 3; i++) {
        int j = (i + 1) % 3;
        if (sp[i] * sp[j] <= 0 && (sp[i] || sp[j]) && segment_meets(p[i], p[j], q))
            return true;
        if (sq[i] * sq[j] <= 0 && (sq[i] || sq[j]) && segment_meets(q[i], q[j], p))
            return true;
    }
    return false;
}

/* Corner i of p is corner j of q. They meet beyond it where the side opposite to it in one comes
 * through the other. */
static bool joined_meet(const struct vec p[3], int i, const struct vec q[3], int j)
{
    struct vec p1 = p[(i + 1) % 3], p2 = p[(i + 2) % 3], q1 = q[(j + 1) % 3], q2 = q[(j + 2) % 3];
    int a1 = side(p[0], p[1], p[2], q1), a2 = side(p[0], p[1], p[2], q2);
    if (a1 * a2 > 0)
        return false;
    int b1 = side(q[0], q[1], q[2], p1), b2 = side(q[0], q[1], q[2], p2);
    if (b1 * b2 > 0)
        return false;
    if (!a1 && !a2)
        return overlap_flat(p, q);
    return segment_meets(q1, q2, p) || ((b1 || b2) && segment_meets(p1, p2, q));
}

bool triangles_meet(const uint32_t ids[3], const struct vec p[3], const uint32_t other_ids[3],
                    const struct vec q[3])
{
    int shared = 0, i_at = 0, j_at = 0, lone_p = 3, lone_q = 3;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            if (ids[i] == other_ids[j]) {
                shared++;
                i_at = i, j_at = j;
                lone_p -= i, lone_q -= j;
            }
    if (shared == 0)
        return apart_meet(p, q);
    if (shared == 1)
        return joined_meet(p, i_at, q, j_at);
    if (shared == 2) /* only when one is folded flat onto the other */
        return side(p[0], p[1], p[2], q[lone_q]) == 0 && overlap_flat(p, q);
    return true;
}
