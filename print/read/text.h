/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cursor over text that is not copied: lines, words and numbers. Locale-free but for what needs
 * strtod. */
#ifndef PRINT_READ_TEXT_H
#define PRINT_READ_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    const char *at;
    const char *end;
};

/** Cuts off the next line (without its end) and moves on; false at the end of the text. */
bool text_line(struct text *text, struct text *line);

/** Cuts off the next word of non-white characters; false when there is none. */
bool text_word(struct text *text, struct text *word);

bool text_is(const struct text *word, const char *value); /* ASCII case is ignored */
bool text_begins(const struct text *word, const char *value);

/**
 * Reads a decimal number at the front of the text and moves past it; false when there is none left.
 * Exactly rounded: what strtod and strtof give. A word that is no number is NaN, so that it is
 * found when used. Cost about 10 ns.
 */
bool text_number(struct text *text, double *value);
bool text_float(struct text *text, float *value);
bool text_integer(struct text *text, int64_t *value);

#endif
