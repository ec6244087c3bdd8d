/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schoolbook arithmetic on whole numbers of a few 64-bit limbs, sign and magnitude. */
#include "print/measure/exact_big.h"

#include <assert.h>
#include <math.h>

static void trim(struct big *a)
{
    while (a->size && !a->limb[a->size - 1])
        a->size--;
    if (!a->size)
        a->sign = 0;
}

struct big big_from(int128 value)
{
    struct big out;
    uint128 magnitude = value < 0 ? -(uint128)value : (uint128)value;
    out.sign = value < 0 ? -1 : 1;
    out.size = 2;
    out.limb[0] = (uint64_t)magnitude;
    out.limb[1] = (uint64_t)(magnitude >> 64);
    trim(&out);
    return out;
}

struct big big_shifted(int64_t value, unsigned shift)
{
    struct big out;
    uint128 magnitude = (uint128)(value < 0 ? -(uint64_t)value : (uint64_t)value) << shift % 64;
    int words = (int)(shift / 64);
    assert(words + 2 <= BIG_LIMBS);
    for (int i = 0; i < words; i++)
        out.limb[i] = 0;
    out.limb[words] = (uint64_t)magnitude;
    out.limb[words + 1] = (uint64_t)(magnitude >> 64);
    out.sign = value < 0 ? -1 : 1;
    out.size = words + 2;
    trim(&out);
    return out;
}

static int compare_magnitudes(const struct big *a, const struct big *b)
{
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    for (int i = a->size - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static struct big add_magnitudes(const struct big *a, const struct big *b, int sign)
{
    struct big out = {.sign = sign};
    const struct big *longer = a->size < b->size ? b : a, *shorter = longer == a ? b : a;
    uint128 carry = 0;
    int i = 0;
    for (; i < longer->size; i++) {
        carry += (uint128)longer->limb[i] + (i < shorter->size ? shorter->limb[i] : 0);
        out.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry) {
        assert(i < BIG_LIMBS);
        out.limb[i++] = (uint64_t)carry;
    }
    out.size = i;
    return out;
}

/* |a| >= |b|. */
static struct big sub_magnitudes(const struct big *a, const struct big *b, int sign)
{
    struct big out = {.sign = sign};
    uint64_t borrow = 0;
    for (int i = 0; i < a->size; i++) {
        uint64_t take = i < b->size ? b->limb[i] : 0;
        uint128 d = (uint128)a->limb[i] - take - borrow;
        out.limb[i] = (uint64_t)d;
        borrow = (uint64_t)(d >> 64) & 1;
    }
    out.size = a->size;
    trim(&out);
    return out;
}

static struct big add_signed(const struct big *a, const struct big *b, int b_sign)
{
    if (!b_sign)
        return *a;
    if (!a->sign || a->sign == b_sign)
        return add_magnitudes(a, b, b_sign);
    int order = compare_magnitudes(a, b);
    return order >= 0 ? sub_magnitudes(a, b, a->sign) : sub_magnitudes(b, a, b_sign);
}

struct big big_add(const struct big *a, const struct big *b)
{
    return add_signed(a, b, b->sign);
}

struct big big_sub(const struct big *a, const struct big *b)
{
    return add_signed(a, b, -b->sign);
}

struct big big_mul(const struct big *a, const struct big *b)
{
    struct big out = {0};
    out.sign = a->sign * b->sign;
    out.size = out.sign ? a->size + b->size : 0;
    assert(out.size <= BIG_LIMBS);
    for (int i = 0; out.sign && i < a->size; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < b->size; j++) {
            uint128 t = (uint128)a->limb[i] * b->limb[j] + out.limb[i + j] + carry;
            out.limb[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
        out.limb[i + b->size] = carry;
    }
    trim(&out);
    return out;
}

struct big big_cross(const struct big *a, const struct big *b, const struct big *c,
                     const struct big *d)
{
    struct big ab = big_mul(a, b), cd = big_mul(c, d);
    return big_sub(&ab, &cd);
}

double big_double(const struct big *a)
{
    double sum = 0;
    for (int i = a->size - 1; i >= 0 && i >= a->size - 3; i--)
        sum += ldexp((double)a->limb[i], 64 * i);
    return a->sign * sum;
}
