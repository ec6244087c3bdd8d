/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole numbers of up to 1024 bits on the stack, for the rare predicate that doubles cannot decide.
 * Nothing here allocates; the callers' formulas have known widths. */
#ifndef PRINT_MEASURE_EXACT_BIG_H
#define PRINT_MEASURE_EXACT_BIG_H

#include <stdint.h>

#define BIG_LIMBS 16

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

/* sign x (limb[0] + limb[1] 2^64 + ...); sign 0 and size 0 for zero, no leading zero limbs. */
struct big {
    int sign;
    int size;
    uint64_t limb[BIG_LIMBS];
};

struct big big_from(int128 value);

/** value x 2^shift. */
struct big big_shifted(int64_t value, unsigned shift);

struct big big_add(const struct big *a, const struct big *b);
struct big big_sub(const struct big *a, const struct big *b);
struct big big_mul(const struct big *a, const struct big *b);

/** a b - c d, the piece determinants are made of. */
struct big big_cross(const struct big *a, const struct big *b, const struct big *c,
                     const struct big *d);

/** The nearest double, to within two units in its last place. */
double big_double(const struct big *a);

#endif
