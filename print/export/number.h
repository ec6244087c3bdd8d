/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Printing numbers fast and locale-free: the bulk of a 3MF is coordinates and vertex numbers. */
#ifndef PRINT_EXPORT_NUMBER_H
#define PRINT_EXPORT_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define NUMBER_ROOM 32

/**
 * Writes the shortest decimal that reads back to the same float, through strtof as well as through
 * strtod and a cast. value must be finite; -0 keeps its sign.
 * Result   the count of characters; no NUL is added. out has NUMBER_ROOM characters.
 * Cost     about 60 ns between 1e-4 and 1e6, else that of a few snprintf.
 */
size_t number_print_float(char *out, float value);

/** Writes an unsigned number; as number_print_float otherwise. */
size_t number_print_uint(char *out, uint32_t value);

#endif
