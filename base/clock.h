/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time and sortable ids. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define ID_ROOM 32   /* "ord_" + 26 Crockford base-32 digits + NUL */
#define TIME_ROOM 25 /* 2026-11-21T10:00:00.000Z + NUL */

/** Milliseconds that only go forward; for durations and deadlines. */
int64_t clock_ms(void);

/** Seconds as a double on the same clock; for measuring. */
double clock_s(void);

/** The wall clock as RFC 3339 UTC with milliseconds. */
void clock_rfc3339(char out[TIME_ROOM]);

/**
 * prefix + "_" + 26 digits: 48 bits of wall-clock ms, 20 that begin anywhere and count on within
 * it, 60 random ones. Sorts by time; those of one thread always in the order they were made in.
 */
void id_new(char out[ID_ROOM], const char *prefix);

/** 1 when text is prefix_ and 26 lower-case Crockford digits, else 0. */
int id_valid(const char *text, const char *prefix);

#endif
