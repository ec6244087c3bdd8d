/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a shop owner is told: findings with a value, a limit and a sentence. */
#ifndef PRINT_JUDGE_H
#define PRINT_JUDGE_H

#include "print/measure/layers.h"
#include "print/measure/report.h"
#include "print/measure/silhouette.h"
#include "print/prep.h"
#include "print/repair/repair.h"

/* What was done to the mesh on its way. */
struct prep_changes {
    struct repair_counts repaired;
    size_t decimated_from; /* triangles; 0: it was not */
    double flatten_mm;     /* allowed to be cut */
    struct base_result base;
    struct hollow_result hollow;
    bool base_failed, split_failed, hollow_failed; /* asked for, and could not be made */
};

/* What was measured; of an inspected mesh that is not closed, layers is all zeros. */
struct prep_measures {
    struct mesh_measures mesh;
    struct print_measures print;
    struct layer_measures layers;
    size_t floating;                  /* shells that do not reach the bed */
    struct silhouette_match likeness; /* iou below 0: there was no photo */
};

void judge_repairs(struct report *report, const struct prep_changes *changes,
                   const struct prep_measures *measures);

/** How far it is from what was sent. */
void judge_change(struct report *report, const struct prep_changes *changes,
                  const struct prep_measures *measures);

/** Size, walls, foot, overhangs, layers, likeness. Errors ERR_LIMIT no memory. */
int judge_print(struct report *report, const struct mesh *mesh,
                const struct prep_measures *measures, const struct prep_options *options,
                struct err *err) MUST_CHECK;

/** Of a mesh as it was sent. */
void judge_input(struct report *report, const struct prep_measures *measures);

/** All that was measured, as JSON. */
cJSON *judge_measures(const struct prep_measures *measures);

#endif
