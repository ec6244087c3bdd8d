/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much support a slicer will make under a solid that stands as it does. */
#ifndef PRINT_MEASURE_SUPPORT_H
#define PRINT_MEASURE_SUPPORT_H

#include "print/measure/layers_grid.h"

/*
 * How a slicer builds support. What leans over further than overhang_deg gets a roof, grown
 * sideways by margin_mm and filled down to the bed or to the model, side_gap_mm away from walls.
 * Slicers are not exact about the angle: with slack_deg the mean of two estimates is taken, one
 * that much stricter and one that much laxer, so that no surface hides just below the limit.
 */
struct support_style {
    double overhang_deg, slack_deg; /* from vertical */
    double margin_mm;
    double side_gap_mm;
    double density;    /* plastic in what support fills, 0..1 */
    double wall_mm;    /* plastic across its outline */
    double roof_mm;    /* more plastic at its top, as height */
    double landing_mm; /* more where it stands on the model */
};

/*
 * PrusaSlicer 2.5's automatic support with its own defaults, and CuraEngine 4.13's with this
 * project's. Fitted to 39 slicings of 13 models each: a tenth off as a rule (root mean square 10 %
 * and 12 %, most of that in three of them).
 */
#define SUPPORT_STYLE_GRID ((struct support_style){48, 2.5, 1.6, 0.2, 0.163, 0.329, 0.704, 0})
#define SUPPORT_STYLE_SNUG ((struct support_style){55, 2, 0.8, 0.4, 0.152, 0.169, 0, 2.08})

/** Writes the two angles that a style needs bitmaps of into a grid's options. */
static inline void support_style_limits(double steep_deg[2], const struct support_style *style)
{
    steep_deg[0] = style->overhang_deg - style->slack_deg;
    steep_deg[1] = style->overhang_deg + style->slack_deg;
}

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
 * Estimates from the grid's steep bitmaps `limit` and `limit + 1`, made with the style's angles.
 * foot     NULL, or one plane that gets where support surely stands on the bed.
 * Cost     a few passes over the bitmaps: 5 ms for 100 mm at 0.4 mm.
 * Errors   ERR_LIMIT no memory.
 */
int support_estimate(struct support_estimate *out, uint64_t *foot, const struct layer_grid *grid,
                     size_t limit, const struct support_style *style, struct err *err) MUST_CHECK;

#endif
