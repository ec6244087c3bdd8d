/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The built-in maker: one photo becomes a printable figure or lithophane, with no network and no
 * key. */
#ifndef PRINT_RELIEF_RELIEF_H
#define PRINT_RELIEF_RELIEF_H

#include "base/json.h"
#include "base/png.h"
#include "print/mesh.h"

enum relief_style { RELIEF_FIGURE, RELIEF_LITHOPHANE };

struct relief_options {
    enum relief_style style;
    double height_mm;      /* figure or plate height with its stand, 20..250 */
    double thickness_mm;   /* figure: greatest depth front to back; 0 = from the shape */
    double detail_mm;      /* figure: how far the photo's shading moves the front; 0 = default */
    double min_mm, max_mm; /* lithophane: thinnest (white) and thickest (black); 0 = 0.8 and 3.0 */
    bool stand;            /* figure: an oval base under it */
    double resolution_mm;  /* grid step; 0 = from the height, 0.25..0.6 */
};

#define RELIEF_OPTIONS_DEFAULT                                                                     \
    ((struct relief_options){.style = RELIEF_FIGURE, .height_mm = 80, .stand = true})

/**
 * Makes a closed, 2-manifold solid from a cut-out photo (sRGB, upright; alpha 0 where there is no
 * subject, as intake makes it; a lithophane uses the whole picture). Z up, face towards -Y, lowest
 * z = 0. Deterministic: the same pixels and options give the same mesh. Result   out, and *notes: a
 * JSON object of what was found (subject_share, cut_from: "alpha" or "background", confidence 0..1,
 * subject_touches_border ...); caller frees both. Errors   ERR_INPUT code no_subject when nothing
 * stands out from the background.
 */
int relief_make(struct mesh *out, cJSON **notes, const struct picture *photo,
                const struct relief_options *options, struct err *err) MUST_CHECK;

#endif
