/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A base under a figure, with a text on it. */
#ifndef PRINT_SHAPE_BASE_H
#define PRINT_SHAPE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "print/mesh.h"

enum base_shape { BASE_NONE, BASE_ROUND, BASE_SQUARE, BASE_OVAL };
enum text_style { TEXT_ENGRAVED, TEXT_EMBOSSED };

struct base_options {
    enum base_shape shape;
    double height_mm;
    double size_mm;     /* diameter, side, or the oval's longer axis; 0: chosen */
    double max_size_mm; /* a chosen one is not larger; 0: as large as it must be */
    double margin_mm;   /* around the figure's foot */
    double bevel_mm;    /* of the upper edge */
    double sink_mm;     /* how deep the figure's foot sinks in, so that it is truly joined */
    double tilt_deg;    /* the figure shall lean by this before it falls */
    const char *text;   /* UTF-8, or NULL or "": none */
    enum text_style text_style;
    double text_depth_mm; /* 0.4 .. 0.6 prints well */
    double stroke_mm;     /* strokes are at least this: two line widths */
    double letter_mm;     /* height of the text's ink; 0: chosen */
    const uint8_t *font;  /* bytes of a font file; needed with a text */
    size_t font_bytes;
};

#define BASE_OPTIONS_DEFAULT                                                                       \
    ((struct base_options){.shape = BASE_ROUND,                                                    \
                           .height_mm = 3,                                                         \
                           .margin_mm = 2,                                                         \
                           .bevel_mm = 0.6,                                                        \
                           .sink_mm = 0.4,                                                         \
                           .tilt_deg = 12,                                                         \
                           .text_depth_mm = 0.5,                                                   \
                           .stroke_mm = 0.85})

struct base_result {
    double size_mm[2];   /* along x and y */
    double middle_mm[2]; /* of the base, in the figure's coordinates */
    double top_mm;       /* z of the base's upper side: where the two could be split */
    double outside_mm;   /* how far the foot sticks out over a base of ordered size; else 0 */
    double letter_mm, stroke_mm; /* as made; 0 without a text */
    bool text_on_rim;            /* else before the figure's feet on the upper side */
};

/**
 * Puts a base under a closed figure that stands on its lowest z with its face towards -Y, and makes
 * one solid of both. The figure stays where it is; the base lies below it. A text stands on the rim
 * if the base is high enough for it (a round or a square one), else on the upper side in front of
 * the feet; the base becomes larger for it unless its size is ordered.
 *
 * Result   0 done; 1 shape is BASE_NONE, or the union did not come out as a solid: mesh unchanged.
 * Errors   ERR_INPUT code base_invalid: numbers that make no base; text_too_long: strokes would be
 *          too thin to print, and the message tells the longest beginning of it that would fit;
 * text_too_small: the same of letter_mm; those of glyph_line_make. ERR_LIMIT no memory.
 */
int mesh_add_base(struct mesh *mesh, struct base_result *result, const struct base_options *options,
                  struct err *err) MUST_CHECK;

#endif
