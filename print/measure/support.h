/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much support a slicer will make under a solid that stands as it does. */
#ifndef PRINT_MEASURE_SUPPORT_H
#define PRINT_MEASURE_SUPPORT_H

#include "print/measure/layers_grid.h"

/*
 * How a slicer builds support. What leans over further than overhang_deg gets a roof, grown
 * sideways by margin_mm and filled down to the bed or to the model, side_gap_mm away from walls.
 */
struct support_style {
    double overhang_deg; /* from vertical */
    double margin_mm;
    double side_gap_mm;
    double density; /* plastic in what support fills, 0..1 */
    double wall_mm; /* plastic across its outline; 0: none */
    double roof_mm; /* plastic on top of it and where it stands on the model, as height */
};

/* PrusaSlicer's automatic support with its own defaults. */
#define SUPPORT_STYLE_GRID ((struct support_style){48.4, 2.9, 0.2, 0.134, 0.11, 1.5})
/* CuraEngine's support with this project's settings: 15 % zigzag, 0.8 mm away from walls. */
#define SUPPORT_STYLE_SNUG ((struct support_style){55, 0.4, 0.4, 0.108, 0.242, 0.89})

struct support_estimate {
    double volume_mm3;    /* plastic */
    double filled_mm3;    /* space that support takes up */
    double contact_mm2;   /* of the model's undersides that it touches: these get scars */
    double landing_mm2;   /* of the model that it stands on */
    double footprint_mm2; /* of the bed */
    double sides_mm2;     /* of its outline, all the way down */
    double roof_mm2;      /* of its tops, grown by the margin */
};

/**
 * Estimates from the grid's steep bitmap `limit`, which was made with the style's angle.
 * foot     NULL, or one plane that gets where support stands on the bed.
 * Cost     a few passes over the bitmaps: 5 ms for 100 mm at 0.4 mm.
 * Errors   ERR_LIMIT no memory.
 */
int support_estimate(struct support_estimate *out, uint64_t *foot, const struct layer_grid *grid,
                     size_t limit, const struct support_style *style, struct err *err) MUST_CHECK;

#endif
