/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines, boxes and words drawn over a finished picture: legends, rulers, captions. */
#ifndef PRINT_RENDER_DRAW_H
#define PRINT_RENDER_DRAW_H

#include "base/png.h"

/** A line with round ends, width in pixels, smooth at its sides; what lies outside is cut off. */
void draw_line(struct picture *picture, double x0, double y0, double x1, double y1, double width,
               const uint8_t rgb[3]);

/** Fills whole pixels x, y .. x + width - 1, y + height - 1 with an opaque colour. */
void draw_box(struct picture *picture, long x, long y, long width, long height,
              const uint8_t rgb[3]);

/** Copies one picture over another, its alpha taken for paint; what lies outside is cut off. */
void draw_picture(struct picture *picture, const struct picture *from, long x, long y);

/**
 * Writes text from x on, standing on the line y. cap is the height of a capital in pixels: 7 and
 * more can be read. ASCII; other bytes are shown as one box for each UTF-8 character. The letters
 * are our own: straight strokes, so that no font file is needed and any size is sharp.
 */
void draw_text(struct picture *picture, double x, double y, double cap, const char *text,
               const uint8_t rgb[3]);

/** How wide draw_text writes it. */
double draw_text_width(double cap, const char *text);

#endif
