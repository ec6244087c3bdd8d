/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two parts that are put together after printing: a figure and its base. */
#ifndef PRINT_SHAPE_JOINT_H
#define PRINT_SHAPE_JOINT_H

#include "print/mesh.h"

struct joint_options {
    double at_mm;        /* z of the cut */
    double clearance_mm; /* on each side of the peg */
    double depth_mm;     /* of the peg; less where there is no room */
    double wall_mm;      /* of the upper part around the peg */
    double least_mm;     /* a peg of less than this across breaks */
};

#define JOINT_OPTIONS_DEFAULT                                                                      \
    ((struct joint_options){.clearance_mm = 0.2, .depth_mm = 5, .wall_mm = 0.9, .least_mm = 2.5})

#define PEGS_MOST 2

struct joint_result {
    struct peg {
        double diameter_mm, x_mm, y_mm;
    } pegs[PEGS_MOST];
    unsigned count;  /* the second one stands where there is room for it, in the other foot */
    double depth_mm; /* the pegs' height */
};

/**
 * Cuts a closed solid at a height. The lower part gets one or two D-shaped pegs that point up, the
 * upper one sockets for them, so that each stands flat on a bed and they fit in one way only.
 *
 * Result   0 done; 1 there is no room for a peg above the cut, or nothing on one side of it; upper
 *          and lower stay empty then. mesh stays as it is.
 * Owner    the caller calls mesh_free on both. Errors ERR_LIMIT.
 */
int mesh_split_joint(struct mesh *upper, struct mesh *lower, struct joint_result *result,
                     const struct mesh *mesh, const struct joint_options *options,
                     struct err *err) MUST_CHECK;

#endif
