/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deflate (RFC 1951) for a writer who knows where its text repeats itself: no search, only codes.
 */
#ifndef PRINT_EXPORT_SQUEEZE_H
#define PRINT_EXPORT_SQUEEZE_H

#include <stddef.h>
#include <stdint.h>

#define SQUEEZE_LONGEST 258 /* bytes of one repeat; the shortest has 3 */
#define SQUEEZE_FARTHEST 32768
#define SQUEEZE_LETTERS 286
#define SQUEEZE_DISTANCES 30

/* So many bytes as they are, then so many that stand `distance` before. */
struct squeeze_step {
    uint32_t plain;
    uint16_t length, distance_less_one;
};

/* A text as steps. Zero-initialise the counts; steps is the caller's room. */
struct squeeze {
    struct squeeze_step *steps;
    size_t count;
    size_t done; /* bytes of the text that the steps cover */
    uint32_t letters[SQUEEZE_LETTERS], distances[SQUEEZE_DISTANCES];
};

/** Adds the text from squeeze->done on up to `at` as it is, then a repeat. length 3 .. 258,
 * distance 1 .. 32768 and not beyond the text's beginning. */
void squeeze_add(struct squeeze *squeeze, const char *text, size_t at, size_t length,
                 size_t distance);

/** Bytes that squeeze_write may need. */
size_t squeeze_bound(const struct squeeze *squeeze, size_t n);

/**
 * Writes n bytes of text, what the steps leave over as it is, as one block with codes of its own
 * and an empty one that ends at a byte, so that more may follow. The text has 8 readable bytes
 * behind its end. Returns the count of bytes.
 * Cost     about 1 ns for each step and each plain byte.
 */
size_t squeeze_write(uint8_t *out, struct squeeze *squeeze, const char *text, size_t n);

#endif
