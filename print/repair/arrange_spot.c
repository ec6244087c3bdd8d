/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where two triangles with corners on a grid of integers meet: exactly, as points on edges. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/repair/arrange_parts.h"

static int sign_of(int128 x)
{
    return (x > 0) - (x < 0);
}

static int128 dot(const int64_t n[3], const int32_t p[3])
{
    return (int128)n[0] * p[0] + (int128)n[1] * p[1] + (int128)n[2] * p[2];
}

static int128 height(const struct plane *plane, const int32_t p[3])
{
    return dot(plane->normal, p) - plane->constant;
}

struct tile tile_make(const int32_t a[3], const int32_t b[3], const int32_t c[3])
{
    struct tile tile = {.at = {{a[0], a[1], a[2]}, {b[0], b[1], b[2]}, {c[0], c[1], c[2]}}};
    for (int k = 0; k < 3; k++) {
        int l = (k + 1) % 3, m = (k + 2) % 3;
        tile.plane.normal[k] =
            (int64_t)(b[l] - a[l]) * (c[m] - a[m]) - (int64_t)(b[m] - a[m]) * (c[l] - a[l]);
    }
    tile.plane.constant = dot(tile.plane.normal, a);
    return tile;
}

int tile_axis(const struct tile *tile)
{
    int best = 0;
    for (int k = 1; k < 3; k++)
        if (llabs(tile->plane.normal[k]) > llabs(tile->plane.normal[best]))
            best = k;
    return best;
}

struct plane plane_upright(const int32_t p[3], const int32_t q[3], int up)
{
    int x = (up + 1) % 3, y = (up + 2) % 3;
    struct plane plane = {0};
    plane.normal[x] = (int64_t)q[y] - p[y];
    plane.normal[y] = (int64_t)p[x] - q[x];
    plane.constant = dot(plane.normal, p);
    return plane;
}

static struct spot spot_corner(const int32_t p[3])
{
    return (struct spot){{p[0], p[1], p[2]}, 1};
}

/* p + n / d (q - p) */
static struct spot spot_between(const int32_t p[3], const int32_t q[3], int128 n, int128 d)
{
    struct spot s = {.w = d < 0 ? -d : d};
    n = d < 0 ? -n : n;
    if (n == 0)
        return spot_corner(p);
    if (n == s.w)
        return spot_corner(q);
    for (int k = 0; k < 3; k++)
        s.x[k] = p[k] * s.w + n * ((int64_t)q[k] - p[k]);
    return s;
}

static int spot_compare(const struct spot *a, const struct spot *b, int k)
{
    double difference = (double)a->x[k] / (double)a->w - (double)b->x[k] / (double)b->w;
    if (fabs(difference) > 1e-6) /* coordinates below 2^24 are known to 2^-26 */
        return difference > 0 ? 1 : -1;
    struct big ax = big_from(a->x[k]), aw = big_from(a->w);
    struct big bx = big_from(b->x[k]), bw = big_from(b->w);
    return big_cross(&ax, &bw, &bx, &aw).sign;
}

/* The points in which the tile's rim goes through a plane, given its corners' heights above it. */
static int rim_spots(struct spot out[2], const struct tile *tile, const int128 h[3])
{
    int count = 0;
    for (int i = 0; i < 3 && count < 2; i++)
        if (h[i] == 0)
            out[count++] = spot_corner(tile->at[i]);
    for (int i = 0; i < 3 && count < 2; i++) {
        int j = (i + 1) % 3;
        if (sign_of(h[i]) * sign_of(h[j]) < 0)
            out[count++] = spot_between(tile->at[i], tile->at[j], h[i], h[i] - h[j]);
    }
    if (count == 1)
        out[1] = out[0];
    return count;
}

/* The axis along which the line of two planes runs fastest. */
static int line_axis(const struct plane *a, const struct plane *b)
{
    int best = 0;
    double most = -1;
    for (int k = 0; k < 3; k++) {
        int l = (k + 1) % 3, m = (k + 2) % 3;
        int128 d = (int128)a->normal[l] * b->normal[m] - (int128)a->normal[m] * b->normal[l];
        if (fabs((double)d) > most) {
            most = fabs((double)d);
            best = k;
        }
    }
    return best;
}

static void put_in_order(struct spot s[2], int axis)
{
    if (spot_compare(&s[0], &s[1], axis) > 0) {
        struct spot swapped = s[0];
        s[0] = s[1];
        s[1] = swapped;
    }
}

static bool heights(int128 out[3], const struct plane *plane, const struct tile *tile)
{
    int above = 0, below = 0;
    for (int i = 0; i < 3; i++) {
        out[i] = height(plane, tile->at[i]);
        above += out[i] > 0;
        below += out[i] < 0;
    }
    return above != 3 && below != 3;
}

/* Both tiles go through the line of their planes: what they have in common of it. */
static int crossing_stroke(struct stroke *out, const struct tile *tile, const struct tile *other,
                           const int128 of_other[3])
{
    int128 of_tile[3];
    struct spot mine[2], theirs[2];
    if (!heights(of_tile, &other->plane, tile) || !rim_spots(mine, tile, of_tile) ||
        !rim_spots(theirs, other, of_other))
        return 0;
    int axis = line_axis(&tile->plane, &other->plane);
    put_in_order(mine, axis);
    put_in_order(theirs, axis);
    out->end[0] = spot_compare(&mine[0], &theirs[0], axis) >= 0 ? mine[0] : theirs[0];
    out->end[1] = spot_compare(&mine[1], &theirs[1], axis) <= 0 ? mine[1] : theirs[1];
    int order = spot_compare(&out->end[0], &out->end[1], axis);
    out->count = order < 0 ? 2 : 1;
    out->line = other->plane;
    return order <= 0;
}

struct fraction {
    int128 n, d; /* d > 0 */
};

static int fraction_compare(struct fraction a, struct fraction b)
{
    return sign_of(a.n * b.d - b.n * a.d); /* 2^53 x 2^53 */
}

static int128 left_of(const int32_t a[3], const int32_t b[3], const int32_t p[3], int x, int y)
{
    return (int128)((int64_t)b[x] - a[x]) * ((int64_t)p[y] - a[y]) -
           (int128)((int64_t)b[y] - a[y]) * ((int64_t)p[x] - a[x]);
}

/* The part of the edge p q that lies in the tile, all in one plane seen along `up`. */
static int flat_stroke(struct stroke *out, const struct tile *tile, const int32_t p[3],
                       const int32_t q[3], int up)
{
    int x = (up + 1) % 3, y = (up + 2) % 3, facing = tile->plane.normal[up] > 0 ? 1 : -1;
    struct fraction from = {0, 1}, until = {1, 1};
    for (int i = 0; i < 3; i++) {
        const int32_t *a = tile->at[i], *b = tile->at[(i + 1) % 3];
        int128 in_p = facing * left_of(a, b, p, x, y), in_q = facing * left_of(a, b, q, x, y);
        if (in_p < 0 && in_q < 0)
            return 0;
        if (in_p >= 0 && in_q >= 0)
            continue;
        struct fraction at =
            in_p < 0 ? (struct fraction){-in_p, in_q - in_p} : (struct fraction){in_p, in_p - in_q};
        if (in_p < 0 && fraction_compare(at, from) > 0)
            from = at;
        if (in_q < 0 && fraction_compare(at, until) < 0)
            until = at;
    }
    int order = fraction_compare(from, until);
    if (order > 0)
        return 0;
    out->end[0] = spot_between(p, q, from.n, from.d);
    out->end[1] = spot_between(p, q, until.n, until.d);
    out->count = order < 0 ? 2 : 1;
    out->line = plane_upright(p, q, up);
    return 1;
}

int tile_strokes(struct stroke out[STROKES_MAX], const struct tile *tile, const struct tile *other)
{
    int128 of_other[3];
    if (!heights(of_other, &tile->plane, other))
        return 0;
    if (of_other[0] || of_other[1] || of_other[2])
        return crossing_stroke(out, tile, other, of_other);
    int count = 0, up = tile_axis(tile);
    for (int i = 0; i < 3; i++)
        count += flat_stroke(out + count, tile, other->at[i], other->at[(i + 1) % 3], up);
    return count;
}
