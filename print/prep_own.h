/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What prep.c and prep_shape.c share: a preparation on its way. */
#ifndef PRINT_PREP_OWN_H
#define PRINT_PREP_OWN_H

#include "print/judge.h"
#include "print/shape/orient.h"

struct prep {
    const struct prep_options *options;
    struct mesh mesh;    /* what is worked on */
    struct mesh visible; /* the input welded, moved along, to see what changed */
    struct mesh dressed; /* the input as read, moved along for its colours; empty without */
    struct report report;
    struct mesh_measures input;
    struct prep_changes changes;
    struct prep_measures output;
    struct orient_choice turned;
    double base_low[3], base_high[3]; /* where the base is; equal without one */
    bool apart;                       /* beside the figure */
    double size_mm;
    bool sound; /* checked since it was last rounded */
    bool solid; /* in the end */
    struct err *err;
};

/** Millimetres in one unit of the input. */
double prep_first_scale(const struct mesh *in, const struct prep_options *options);

/** From a repaired solid to the part in its place on the bed: simplified, turned, scaled, on its
 * foot or base, hollow, pivoted. */
int prep_shape(struct prep *p) MUST_CHECK;

#endif
