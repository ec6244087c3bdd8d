/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a base lies and how large it is, before anything is built: base_plan.c for base.c. */
#ifndef PRINT_SHAPE_BASE_PLAN_H
#define PRINT_SHAPE_BASE_PLAN_H

#include "print/measure/vec.h"
#include "print/shape/base.h"
#include "print/shape/glyphs.h"

/* A disc that the base's upper side must hold. */
struct disc {
    double x, y, radius;
};

struct base_plan {
    struct disc *discs; /* the foot's hull, where the weight is, then four of the text */
    size_t foot_count;  /* of the hull */
    size_t count;       /* with the weight */
    double foot_low[2], foot_high[2];
    double x, y, size[2]; /* middle and extent of the base */
    double low, top;      /* z */
    double em;            /* of the text in mm; 0: none */
    double text_y;        /* of its middle on the upper side */
    bool rim;
};

/** Measures the figure. Owner base_plan_free. */
int base_plan_open(struct base_plan *plan, const struct mesh *mesh,
                   const struct base_options *options, struct err *err) MUST_CHECK;

/** Chooses size, place and letters; line is NULL without a text. 1: the text does not fit. */
int base_plan_make(struct base_plan *plan, const struct base_options *options,
                   const struct glyph_line *line);

void base_plan_free(struct base_plan *plan);

#endif
