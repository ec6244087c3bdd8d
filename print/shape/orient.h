/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which side to stand on: the one that costs the least support, and what the others would cost. */
#ifndef PRINT_SHAPE_ORIENT_H
#define PRINT_SHAPE_ORIENT_H

#include "print/measure/support.h"
#include "print/shape/shape.h"

#define ORIENT_STYLES (STEEP_LIMITS / 2)

struct orient_options {
    bool upright;       /* stay as it stands; the alternatives are looked up all the same */
    double least_gain;  /* turn only when this share of the support, 0..1, is saved */
    double least_mm3;   /* and this much of it */
    double tilt_deg;    /* it must stand this far from falling, its support counted in */
    double bed_mm[3];   /* build volume; 0: not checked */
    bool protect_front; /* keep support off what is seen from -Y in the upper part */
    double front_mm3;   /* support that a square millimetre of scars there is worth avoiding */
    struct support_style style[ORIENT_STYLES]; /* the choice has to be good in both */
    double weight[ORIENT_STYLES];
};

/* For a part; a figure has ORIENT_OPTIONS_FIGURE. */
#define ORIENT_OPTIONS_DEFAULT                                                                     \
    ((struct orient_options){.least_gain = 0.05,                                                   \
                             .least_mm3 = 50,                                                      \
                             .tilt_deg = 5,                                                        \
                             .front_mm3 = 4,                                                       \
                             .style = {SUPPORT_STYLE_GRID, SUPPORT_STYLE_SNUG},                    \
                             .weight = {0.65, 0.35}})
/* Figures want to stand: they lie down only for a third of the support, and never on the face. */
#define ORIENT_OPTIONS_FIGURE                                                                      \
    ((struct orient_options){.least_gain = 0.33,                                                   \
                             .least_mm3 = 1000,                                                    \
                             .tilt_deg = 5,                                                        \
                             .protect_front = true,                                                \
                             .front_mm3 = 4,                                                       \
                             .style = {SUPPORT_STYLE_GRID, SUPPORT_STYLE_SNUG},                    \
                             .weight = {0.65, 0.35}})

/* How the part would stand with `down` towards the bed. */
struct orient_stand {
    struct vec down; /* in the mesh's own coordinates, length 1 */
    double cost_mm3; /* what is compared: support by weight, poor footing, scars on the front */
    double support_mm3[ORIENT_STYLES]; /* plastic for support, by style */
    double scars_mm2;                  /* undersides that support touches */
    double front_scars_mm2; /* of these, on the protected front; 0 when it is not protected */
    double overhang_mm2;    /* surface leaning over by more than 45 degrees, bed left out */
    double contact_mm2;     /* first layer of the part itself */
    double size_mm[3];
    double tilt_deg; /* how far from falling, support counted in */
    bool allowed;    /* it stands, fits, and does not lie on a protected face */
};

#define ORIENT_ALTERNATIVES 6

struct orient_choice {
    struct rotation rotation; /* ROTATION_NONE when it stays */
    struct orient_stand upright, chosen;
    struct orient_stand alternatives[ORIENT_ALTERNATIVES]; /* cheapest first, well apart */
    size_t alternative_count;
    size_t tried; /* directions looked at */
};

/**
 * Looks for the direction that is to point to the bed. Some 590 directions (all around, the axes,
 * flat sides, sides of the convex hull) are judged on coarse layers of a simplified copy, the best
 * improved by small turns, and the best of those judged on the mesh itself. A choice is never made
 * on the coarse numbers.
 *
 * Shape    mesh is closed, in millimetres, standing as it would be printed.
 * Result   the same whatever the number of threads.
 * Cost     100,000 triangles: about 3 s of one core, in parallel; 10,000 triangles 2 s,
 *          1,000,000 triangles 7 s.
 * Errors   ERR_INPUT an empty or flat mesh; ERR_LIMIT no memory.
 */
int mesh_find_orientation(struct orient_choice *out, const struct mesh *mesh,
                          const struct orient_options *options, struct err *err) MUST_CHECK;

/** Judges one direction with cells of pixel_mm. */
int mesh_judge_stand(struct orient_stand *out, const struct mesh *mesh, struct vec down,
                     double pixel_mm, const struct orient_options *options,
                     struct err *err) MUST_CHECK;

#endif
