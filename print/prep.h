/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole print preparation: mesh in; welded, closed, flat-bottomed, scaled and judged mesh out.
 */
#ifndef PRINT_PREP_H
#define PRINT_PREP_H

#include <stdbool.h>

#include "base/json.h"
#include "print/mesh.h"

enum orient { ORIENT_UPRIGHT, ORIENT_AUTO, ORIENT_KEEP };
enum verdict { VERDICT_PASS, VERDICT_REVISE, VERDICT_REJECT };

struct prep_options {
    double height_mm;  /* wanted Z size; 0 keeps the size (3MF) or makes the longest side 100 mm */
    double flatten_mm; /* how much of the bottom may be cut to get a flat foot; 0 cuts nothing */
    enum orient orient;
    size_t max_triangles; /* decimate above; 0 keeps all */
    double bed_mm[3];     /* printer's build volume, 0 = not checked */
    double min_wall_mm;   /* material's minimum wall; 0 = not checked */
    double unit_mm;       /* from read_notes: the mesh is in millimetres already when > 0 */
};

#define PREP_OPTIONS_DEFAULT                                                                       \
    ((struct prep_options){                                                                        \
        .height_mm = 0, .flatten_mm = 0.6, .orient = ORIENT_UPRIGHT, .min_wall_mm = 0.8})

/**
 * Measures and judges a mesh without changing it: the body of `mesh inspect`.
 * Result   a report as schemas/mesh-report.schema.json describes; caller cJSON_Deletes it.
 */
int mesh_inspect(cJSON **report, const struct mesh *in, const struct prep_options *options,
                 struct err *err) MUST_CHECK;

/**
 * Prepares a mesh for printing: weld, repair, drop debris, orient, scale, flatten, pivot at the
 * bottom centre (x and y centred on 0, lowest z = 0), measure again.
 * Result   out is watertight and 2-manifold when the verdict is pass; on revise out is the best
 * that could be made; on reject out is empty. *verdict agrees with the report. Owner    the caller
 * frees out and *report. in is not changed. Errors   ERR_LIMIT no memory; a bad mesh is a verdict,
 * not an error.
 */
int mesh_prep(struct mesh *out, cJSON **report, enum verdict *verdict, const struct mesh *in,
              const struct prep_options *options, struct err *err) MUST_CHECK;

#endif
