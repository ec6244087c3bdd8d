/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Short codes of physical parts: five random digits of Crockford's base 32 and a check digit, which
 * is a weighted sum over the field of 32 elements (weights: powers of a primitive element, so every
 * single wrong digit and every swap of two digits shows).
 */
#include "storage/order.h"

#include <ctype.h>
#include <string.h>

#include "base/hash.h"

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Times x modulo x^5 + x^2 + 1. */
static unsigned times_x(unsigned value)
{
    value <<= 1;
    return value & 32 ? value ^ 0x25 : value;
}

static unsigned check_of(const unsigned char values[5])
{
    unsigned sum = 0;
    for (int i = 0; i < 5; i++)
        sum = times_x(sum ^ values[i]);
    return sum;
}

void part_code_make(char code[PART_CODE_ROOM])
{
    unsigned char values[5];
    random_bytes(values, sizeof values);
    for (int i = 0; i < 5; i++) {
        values[i] &= 31;
        code[i] = digits[values[i]];
    }
    code[5] = digits[check_of(values)];
    code[6] = 0;
}

static int value_of(int letter)
{
    letter = toupper(letter);
    if (letter == 'O')
        letter = '0';
    if (letter == 'I' || letter == 'L')
        letter = '1';
    const char *at = letter ? strchr(digits, letter) : NULL;
    return at ? (int)(at - digits) : -1;
}

int part_code_read(char code[PART_CODE_ROOM], const char *typed)
{
    unsigned char values[6];
    if (strlen(typed) != 6)
        return 1;
    for (int i = 0; i < 6; i++) {
        int value = value_of((unsigned char)typed[i]);
        if (value < 0)
            return 1;
        values[i] = (unsigned char)value;
        code[i] = digits[value];
    }
    code[6] = 0;
    return check_of(values) == values[5] ? 0 : 1;
}
