/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers as text; see number.h. */
#include "print/export/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t number_print_uint(char *out, uint32_t value)
{
    char turned[10];
    size_t n = 0;
    do
        turned[n++] = (char)('0' + value % 10);
    while (value /= 10);
    for (size_t i = 0; i < n; i++)
        out[i] = turned[n - 1 - i];
    return n;
}

/* The rare sizes: snprintf under the C locale would do, but the locale is not ours to know. */
static size_t print_rare(char *out, float value)
{
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(out, NUMBER_ROOM, "%.*e", digits - 1, (double)value);
        if (strtof(out, NULL) == value)
            break;
    }
    char *comma = strpbrk(out, ",");
    if (comma)
        *comma = '.';
    return strlen(out);
}

/* A decimal that lies (as a double) midway between two floats may go either way in strtof. */
static int midway(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & 0x1fffffff) == 0x10000000;
}

static size_t print_scaled(char *out, uint32_t scaled, int decimals)
{
    while (decimals > 0 && scaled % 10 == 0) {
        scaled /= 10;
        decimals--;
    }
    char digits[10];
    size_t n = number_print_uint(digits, scaled), used = 0;
    size_t whole = n > (size_t)decimals ? n - (size_t)decimals : 0;
    if (whole == 0)
        out[used++] = '0';
    memcpy(out + used, digits, whole);
    used += whole;
    if (decimals == 0)
        return used;
    out[used++] = '.';
    for (size_t i = n; i < (size_t)decimals; i++)
        out[used++] = '0';
    memcpy(out + used, digits + whole, n - whole);
    return used + n - whole;
}

size_t number_print_float(char *out, float value)
{
    static const double tens[] = {1e0, 1e1, 1e2, 1e3,  1e4,  1e5,  1e6,
                                  1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13};
    size_t sign = signbit(value) ? 1 : 0;
    double size = fabs((double)value);
    out[0] = '-';
    if (size == 0) {
        out[sign] = '0';
        return sign + 1;
    }
    if (size < 1e-4 || size >= 1e6)
        return print_rare(out, value);
    int whole = 0; /* digits before the point; below zero: zeros behind it */
    while (whole < 6 && size >= tens[whole])
        whole++;
    while (whole > -3 && whole <= 0 && size * tens[1 - whole] < 1)
        whole--;
    /* Six digits are always one float's own; nine always suffice. */
    for (int digits = 6; digits <= 9; digits++) {
        int decimals = digits - whole;
        uint32_t scaled = (uint32_t)(size * tens[decimals] + 0.5);
        double back = scaled / tens[decimals];
        if ((float)back == (float)size && !midway(back))
            return sign + print_scaled(out + sign, scaled, decimals);
    }
    return print_rare(out, value);
}
