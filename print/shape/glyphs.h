/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line of text as outlines: what freetype and harfbuzz make of a font. */
#ifndef PRINT_SHAPE_GLYPHS_H
#define PRINT_SHAPE_GLYPHS_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* A closed outline in em; by the winding number, counter-clockwise ones are ink. */
struct contour {
    double (*points)[2];
    size_t count;
    size_t glyph; /* whose it is: 0 .. glyph_count - 1, left to right */
};

struct glyph_line {
    struct contour *contours;
    size_t contour_count;
    double *middle; /* per glyph: x of the middle of its advance */
    size_t glyph_count;
    double width, low, high; /* of the ink; x runs from 0 to width */
    double stroke;           /* how thick the thin strokes are: a fifth of the ink is thinner */
};

/**
 * Lays out one line of UTF-8 text; lengths in em (the font's size). Curves become chords that stay
 * within 1/400 em.
 *
 * Owner    the caller calls glyph_line_free; font may go after return.
 * Errors   ERR_INPUT code font_damaged; text_invalid (not UTF-8, nothing to see, over 200 bytes);
 *          text_missing_glyph, which names the first character that the font has not. ERR_LIMIT no
 *          memory.
 */
int glyph_line_make(struct glyph_line *out, const char *text, const uint8_t *font,
                    size_t font_bytes, struct err *err) MUST_CHECK;

void glyph_line_free(struct glyph_line *line);

#endif
