/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exact signs of determinants of float coordinates: a filter in doubles, 128-bit integers when the
 * floats span few binades, 1024-bit ones for the rest. */
#include "print/measure/exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "print/measure/exact_big.h"

/* A float is mantissa x 2^(shift - 149). */
struct parts {
    int32_t mantissa;
    int shift;
};

static struct parts float_parts(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 23 & 255);
    int32_t mantissa = (int32_t)(bits & 0x7fffff) | (exponent ? 0x800000 : 0);
    return (struct parts){bits >> 31 ? -mantissa : mantissa, exponent ? exponent - 1 : 0};
}

/* All values on their finest common grid; the width in bits that the widest of them has there. */
static int common_grid(struct parts *out, int *least, const float *values, int count)
{
    int low = 1000, high = 0;
    for (int i = 0; i < count; i++) {
        out[i] = float_parts(values[i]);
        if (!out[i].mantissa)
            continue;
        int zeros = __builtin_ctz((unsigned)out[i].mantissa);
        out[i].mantissa /= 1 << zeros;
        out[i].shift += zeros;
        int top = out[i].shift + 32 - __builtin_clz((unsigned)abs(out[i].mantissa));
        low = out[i].shift < low ? out[i].shift : low;
        high = top > high ? top : high;
    }
    for (int i = 0; i < count; i++)
        out[i].shift = out[i].mantissa ? out[i].shift - low : 0;
    *least = low;
    return high > low ? high - low : 0;
}

static int sign_of(int128 x)
{
    return (x > 0) - (x < 0);
}

static int side_narrow(const struct parts p[12])
{
    int64_t v[12], u[3][3];
    for (int i = 0; i < 12; i++)
        v[i] = (int64_t)p[i].mantissa * ((int64_t)1 << p[i].shift);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            u[i][k] = v[3 * (i + 1) + k] - v[k];
    int128 x = (int128)u[0][1] * u[1][2] - (int128)u[0][2] * u[1][1];
    int128 y = (int128)u[0][2] * u[1][0] - (int128)u[0][0] * u[1][2];
    int128 z = (int128)u[0][0] * u[1][1] - (int128)u[0][1] * u[1][0];
    return sign_of(x * u[2][0] + y * u[2][1] + z * u[2][2]);
}

static int side_wide(const struct parts p[12])
{
    struct big v[12], u[3][3], sum = big_from(0);
    for (int i = 0; i < 12; i++)
        v[i] = big_shifted(p[i].mantissa, (unsigned)p[i].shift);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            u[i][k] = big_sub(&v[3 * (i + 1) + k], &v[k]);
    for (int k = 0; k < 3; k++) {
        int l = (k + 1) % 3, m = (k + 2) % 3;
        struct big n = big_cross(&u[0][l], &u[1][m], &u[0][m], &u[1][l]);
        struct big term = big_mul(&n, &u[2][k]);
        sum = big_add(&sum, &term);
    }
    return sum.sign;
}

static __attribute__((noinline)) int side_exact(const float a[3], const float b[3],
                                                const float c[3], const float d[3])
{
    float values[12];
    struct parts p[12];
    int least;
    /* A corner of the plane asked for its side: the commonest of all zeros. */
    if (d == a || d == b || d == c)
        return 0;
    memcpy(values, a, 12);
    memcpy(values + 3, b, 12);
    memcpy(values + 6, c, 12);
    memcpy(values + 9, d, 12);
    /* 39-bit values: differences of 40, products of three of them and their sum below 2^124. */
    return common_grid(p, &least, values, 12) <= 39 ? side_narrow(p) : side_wide(p);
}

int exact_side(const float a[3], const float b[3], const float c[3], const float d[3])
{
    double ux = (double)b[0] - a[0], uy = (double)b[1] - a[1], uz = (double)b[2] - a[2];
    double vx = (double)c[0] - a[0], vy = (double)c[1] - a[1], vz = (double)c[2] - a[2];
    double wx = (double)d[0] - a[0], wy = (double)d[1] - a[1], wz = (double)d[2] - a[2];
    double s = (uy * vz - uz * vy) * wx + (uz * vx - ux * vz) * wy + (ux * vy - uy * vx) * wz;
    double bound = EXACT_FILTER * (fabs(ux) + fabs(uy) + fabs(uz)) *
                   (fabs(vx) + fabs(vy) + fabs(vz)) * (fabs(wx) + fabs(wy) + fabs(wz));
    if (s > bound)
        return 1;
    if (s < -bound)
        return -1;
    return bound == 0 ? 0 : side_exact(a, b, c, d);
}

static int turn_narrow(const struct parts p[6])
{
    int64_t v[6];
    for (int i = 0; i < 6; i++)
        v[i] = (int64_t)p[i].mantissa * ((int64_t)1 << p[i].shift);
    int128 left = (int128)(v[2] - v[0]) * (v[5] - v[1]);
    int128 right = (int128)(v[3] - v[1]) * (v[4] - v[0]);
    return (left > right) - (left < right);
}

static int turn_wide(const struct parts p[6])
{
    struct big v[6];
    for (int i = 0; i < 6; i++)
        v[i] = big_shifted(p[i].mantissa, (unsigned)p[i].shift);
    struct big ux = big_sub(&v[2], &v[0]), uy = big_sub(&v[3], &v[1]);
    struct big wx = big_sub(&v[4], &v[0]), wy = big_sub(&v[5], &v[1]);
    return big_cross(&ux, &wy, &uy, &wx).sign;
}

static __attribute__((noinline)) int turn_exact(const float a[3], const float b[3],
                                                const float c[3], int x, int y)
{
    const float values[6] = {a[x], a[y], b[x], b[y], c[x], c[y]};
    struct parts p[6];
    int least;
    /* 60-bit values: differences of 61, products below 2^122. */
    return common_grid(p, &least, values, 6) <= 60 ? turn_narrow(p) : turn_wide(p);
}

int exact_turn(const float a[3], const float b[3], const float c[3], int x, int y)
{
    double left = ((double)b[x] - a[x]) * ((double)c[y] - a[y]);
    double right = ((double)b[y] - a[y]) * ((double)c[x] - a[x]);
    double s = left - right, bound = EXACT_FILTER * (fabs(left) + fabs(right));
    if (s > bound)
        return 1;
    if (s < -bound)
        return -1;
    return bound == 0 ? 0 : turn_exact(a, b, c, x, y);
}

bool exact_collinear(const float a[3], const float b[3], const float c[3])
{
    return exact_turn(a, b, c, 0, 1) == 0 && exact_turn(a, b, c, 1, 2) == 0 &&
           exact_turn(a, b, c, 2, 0) == 0;
}
