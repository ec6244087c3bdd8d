/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Letters as closed bodies, laid on a plane or around a rim. */
#ifndef PRINT_SHAPE_TEXT_H
#define PRINT_SHAPE_TEXT_H

#include "print/measure/vec.h"
#include "print/shape/glyphs.h"

/* Where a text lies: x along the line, y up the letters, z out of the surface. Around a rim each
 * letter stands flat on the tangent at its middle; radius 0: all on one plane. */
struct text_place {
    struct vec origin; /* the middle of the text; on a rim the point of it that faces outward */
    struct vec along, up, out;
    double radius; /* of the rim, whose axis is parallel to `up` and behind origin */
};

struct text_size {
    double em_mm;
    double from_mm, to_mm; /* extent along `out` */
};

/**
 * Adds the line's letters as closed, outward-facing bodies. Outlines that overlap are joined by the
 * non-zero rule, holes in letters stay open. Errors ERR_LIMIT; ERR_INPUT code text_invalid when an
 * outline cannot be made a body.
 */
int text_add(struct mesh *mesh, const struct glyph_line *line, const struct text_place *place,
             const struct text_size *size, struct err *err) MUST_CHECK;

#endif
