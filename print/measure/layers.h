/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the printer will meet layer by layer: islands, bridges, overhangs, traps, support. */
#ifndef PRINT_MEASURE_LAYERS_H
#define PRINT_MEASURE_LAYERS_H

#include "print/measure/support.h"

struct layer_options {
    double layer_mm, pixel_mm; /* 0: by size; see layer_options_fill */
    double overhang_deg;       /* from vertical: what leans over further needs support */
    double bridge_mm;          /* longer bridges sag */
    double island_mm2;         /* islands first seen smaller than this are noise */
    double void_mm3;           /* the same of trapped volumes */
    struct support_style support;
};

#define LAYER_OPTIONS_DEFAULT                                                                      \
    ((struct layer_options){.overhang_deg = 45,                                                    \
                            .bridge_mm = 10,                                                       \
                            .island_mm2 = 0.1,                                                     \
                            .void_mm3 = 1,                                                         \
                            .support = SUPPORT_STYLE_SNUG})

/* A place where printing begins in mid-air. */
struct layer_island {
    double at_mm[3]; /* some point of it, in the mesh's own coordinates */
    double area_mm2; /* of its first layer */
};

#define LAYER_ISLANDS 16

struct layer_measures {
    double layer_mm, pixel_mm; /* as used */
    size_t layers;

    /* Parts of a layer with nothing below; the bed's own layer is left out. */
    size_t islands;
    double island_area_mm2;                    /* of the first layers of all of them */
    double island_first_mm;                    /* height of the lowest; 0: there is none */
    struct layer_island island[LAYER_ISLANDS]; /* the lowest ones, in order of height */

    /* Undersides in the air that hold on to what is printed at both ends. */
    size_t bridges, bridges_over; /* all; those over the limit */
    double bridge_longest_mm;

    size_t overhang_regions; /* connected undersides beyond the limit, of 1 mm2 or more */
    double overhang_area_mm2;
    double contact_area_mm2; /* of the first layer with the bed */

    size_t trapped; /* closed rooms inside: resin, powder or support stays in there */
    double trapped_mm3;
    double cups_mm3; /* what the part holds when it is filled with water, rooms left out */

    double largest_layer_mm2, largest_layer_at_mm;
    double solid_mm3; /* as the cells have it; tells how well they fit */

    struct support_estimate support;
};

/** Sets layer and pixel where they are 0: size / 400 and size / 500, but not under 0.2 mm. */
void layer_options_fill(struct layer_options *options, const struct mesh *mesh);

/**
 * Looks at a closed mesh as it stands on its lowest point.
 * Result   numbers are exact for the cells, which resolve what is larger than a pixel and a layer.
 * Cost     O(triangles + cells / 64 + surface cells): 100 mm at 0.25 mm with 100,000 triangles in
 *          0.2 s; 100 MB at most for the bitmaps of most parts.
 * Errors   ERR_INPUT mesh_flat; ERR_LIMIT no memory.
 */
int mesh_measure_layers(struct layer_measures *out, const struct mesh *mesh,
                        const struct layer_options *options, struct err *err) MUST_CHECK;

#endif
