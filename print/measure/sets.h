/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disjoint sets of numbers by path halving; up[x] = x to begin with. Used where things hang
 * together. */
#ifndef PRINT_MEASURE_SETS_H
#define PRINT_MEASURE_SETS_H

#include <stdint.h>

/** The least number of x's set. */
static inline uint32_t sets_find(uint32_t *up, uint32_t x)
{
    while (up[x] != x) {
        up[x] = up[up[x]];
        x = up[x];
    }
    return x;
}

static inline void sets_join(uint32_t *up, uint32_t a, uint32_t b)
{
    a = sets_find(up, a);
    b = sets_find(up, b);
    if (a < b)
        up[b] = a;
    else
        up[a] = b;
}

#endif
