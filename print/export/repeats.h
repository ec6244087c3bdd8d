/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the lines of a table repeat one another: same words each time, numbers that begin alike. */
#ifndef PRINT_EXPORT_REPEATS_H
#define PRINT_EXPORT_REPEATS_H

#include "print/export/squeeze.h"

#define REPEATS_COLUMNS 4
#define REPEATS_KEYS 4096

/* One text's state; repeats_begin clears it. */
struct repeats {
    const char *text;
    uint32_t last[REPEATS_COLUMNS];                /* where the column's last field begins */
    uint32_t alike[REPEATS_COLUMNS][REPEATS_KEYS]; /* and the last one of like key */
};

/* A number and the words before it, from the end of the number before. */
struct repeats_field {
    uint32_t at;
    uint16_t column, key; /* equal numbers, or such as begin alike, have equal keys */
};

void repeats_begin(struct repeats *repeats, const char *text);

/**
 * Steps for the fields of a text of n bytes, in their order: each repeats the last field of its
 * column, or that of its key where this is worth the farther way. The text has 8 readable bytes
 * behind its end; steps has room for a step a field.
 */
void repeats_find(struct squeeze *squeeze, struct repeats *repeats,
                  const struct repeats_field *fields, size_t count, size_t n);

#endif
