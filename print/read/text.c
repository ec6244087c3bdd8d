/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walking over text without copying it; numbers from text, exactly rounded. See text.h. */
#include "print/read/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_white(char c)
{
    return c == ' ' || (unsigned)c - '\t' < 5;
}

static bool is_digit(char c)
{
    return (unsigned)c - '0' < 10;
}

static void skip_white(struct text *text)
{
    const char *p = text->at;
    while (p < text->end && is_white(*p))
        p++;
    text->at = p;
}

bool text_line(struct text *text, struct text *line)
{
    if (text->at >= text->end)
        return false;
    const char *end = memchr(text->at, '\n', (size_t)(text->end - text->at));
    end = end ? end : text->end;
    const char *turn = memchr(text->at, '\r', (size_t)(end - text->at));
    *line = (struct text){text->at, turn ? turn : end};
    /* Lines may end in CR, LF or both. */
    if (turn && turn + 1 < end)
        end = turn;
    text->at = end < text->end ? end + 1 : end;
    return true;
}

bool text_word(struct text *text, struct text *word)
{
    skip_white(text);
    const char *p = text->at;
    word->at = p;
    while (p < text->end && !is_white(*p))
        p++;
    word->end = text->at = p;
    return word->end > word->at;
}

bool text_begins(const struct text *word, const char *value)
{
    size_t n = strlen(value);
    return (size_t)(word->end - word->at) >= n && strncasecmp(word->at, value, n) == 0;
}

bool text_is(const struct text *word, const char *value)
{
    return (size_t)(word->end - word->at) == strlen(value) && text_begins(word, value);
}

bool text_integer(struct text *text, int64_t *value)
{
    skip_white(text);
    const char *p = text->at, *end = text->end;
    bool negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    const char *first = p;
    uint64_t sum = 0;
    while (p < end && is_digit(*p) && p - first < 18)
        sum = sum * 10 + (uint64_t)(*p++ - '0');
    if (p == first)
        return false;
    for (; p < end && is_digit(*p); p++)
        sum = INT64_MAX / 16; /* larger than anything that is counted */
    *value = negative ? -(int64_t)sum : (int64_t)sum;
    text->at = p;
    return true;
}

/* The slow way for the rare number: words such as nan, large exponents, ties between two floats. */
static bool by_library(struct text *text, double *value, float *small)
{
    char copy[128];
    struct text word;
    if (!text_word(text, &word))
        return false;
    size_t n = (size_t)(word.end - word.at);
    n = n < sizeof copy ? n : sizeof copy - 1;
    memcpy(copy, word.at, n);
    copy[n] = 0;
    char *end;
    if (small)
        *small = strtof(copy, &end);
    else if (value)
        *value = strtod(copy, &end);
    else
        return false;
    if (end == copy && small)
        *small = NAN;
    else if (end == copy)
        *value = NAN;
    text->at = end == copy ? word.end : word.at + (end - copy);
    return true;
}

struct decimal {
    uint64_t digits; /* at most 19 of them */
    int exponent;
    bool negative;
    const char *end;
};

static int take_exponent(const char **at, const char *end)
{
    const char *p = *at + 1;
    bool negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    if (p == end || !is_digit(*p))
        return 0;
    int sum = 0;
    for (; p < end && is_digit(*p); p++)
        sum = sum < 1000 ? sum * 10 + (*p - '0') : sum;
    *at = p;
    return negative ? -sum : sum;
}

/* False for what is no plain decimal or has over 19 digits behind its leading zeros. */
static bool take_decimal(const struct text *text, struct decimal *d)
{
    const char *p = text->at, *end = text->end;
    d->negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    const char *first = p;
    uint64_t sum = 0;
    for (; p < end && is_digit(*p); p++)
        sum = sum * 10 + (uint64_t)(*p - '0');
    const char *point = p;
    if (p < end && *p == '.')
        for (p++; p < end && is_digit(*p); p++)
            sum = sum * 10 + (uint64_t)(*p - '0');
    ptrdiff_t count = p - first - (p > point);
    d->exponent = p > point ? (int)(point + 1 - p) : 0;
    if (count > 19) {
        for (const char *zero = first; zero < p && (*zero == '0' || *zero == '.'); zero++)
            count -= *zero == '0';
        if (count > 19 || p - first > 1000)
            return false; /* zeros in front never filled the sum */
    } else if (count <= 0) {
        return false;
    }
    if (p < end && (*p == 'e' || *p == 'E'))
        d->exponent += take_exponent(&p, end);
    d->digits = sum;
    d->end = p;
    return true;
}

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Digits below 2^53 and a power of ten to 22 are exact in a double, so one operation rounds once.
 */
bool text_number(struct text *text, double *value)
{
    struct decimal d;
    skip_white(text);
    if (!take_decimal(text, &d) || d.digits >= (uint64_t)1 << 53 || d.exponent < -22 ||
        d.exponent > 22)
        return by_library(text, value, NULL);
    double v = d.exponent < 0 ? (double)d.digits / powers[-d.exponent]
                              : (double)d.digits * powers[d.exponent];
    *value = d.negative ? -v : v;
    text->at = d.end;
    return true;
}

/*
 * 64 bits of digits and a power of ten to 22 give a double that is off by at most two of its last
 * places. Rounding that to a float is right unless it lies that close to the middle between two
 * floats: one number in sixty million, and decimals that are such a middle.
 */
bool text_float(struct text *text, float *value)
{
    struct decimal d;
    skip_white(text);
    if (!take_decimal(text, &d) || d.exponent < -22 || d.exponent > 22)
        return by_library(text, NULL, value);
    double v = d.exponent < 0 ? (double)d.digits / powers[-d.exponent]
                              : (double)d.digits * powers[d.exponent];
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    uint32_t from_middle = ((uint32_t)bits & 0x1fffffff) - 0x10000000u + 4;
    if (from_middle <= 8 || (d.digits != 0 && (v < 1e-37 || v > 1e38)))
        return by_library(text, NULL, value);
    *value = (float)(d.negative ? -v : v);
    text->at = d.end;
    return true;
}
