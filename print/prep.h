/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole print preparation: mesh in; closed, flat-footed, scaled and judged mesh out. */
#ifndef PRINT_PREP_H
#define PRINT_PREP_H

#include <stdbool.h>

#include "base/json.h"
#include "base/png.h"
#include "print/colour/skin.h"
#include "print/mesh.h"
#include "print/shape/base.h"
#include "print/shape/hollow.h"
#include "print/shape/palette.h"

enum orient { ORIENT_UPRIGHT, ORIENT_AUTO, ORIENT_KEEP };
enum verdict { VERDICT_PASS, VERDICT_REVISE, VERDICT_REJECT };

/* What the findings compare with: the first three come from the material, the rest from the
 * product. */
struct prep_limits {
    double min_wall_mm;        /* 0: walls are not looked at */
    double overhang_deg;       /* from vertical */
    double bridge_mm;          /* longest span that holds */
    double thin_share;         /* of the surface that may be thinner than the wall */
    double tilt_margin_deg;    /* least lean that it must stand */
    double contact_area_mm2;   /* least area on the bed */
    double overhang_share;     /* of the surface that may hang over */
    double silhouette_overlap; /* least likeness to the photo's outline */
};

#define PREP_LIMITS_DEFAULT                                                                        \
    ((struct prep_limits){.min_wall_mm = 0.8,                                                      \
                          .overhang_deg = 45,                                                      \
                          .bridge_mm = 10,                                                         \
                          .thin_share = 0.1,                                                       \
                          .tilt_margin_deg = 5,                                                    \
                          .contact_area_mm2 = 20,                                                  \
                          .overhang_share = 0.2,                                                   \
                          .silhouette_overlap = 0.6})

struct prep_options {
    double height_mm;  /* wanted Z size; 0 keeps the size (3MF) or makes the longest side 100 mm */
    double longest_mm; /* wanted longest side, when no height is; 0: see height_mm */
    double flatten_mm; /* how much of the bottom may be cut to get a flat foot; 0 cuts nothing */
    enum orient orient;
    bool protect_front;   /* ORIENT_AUTO: keep support off the face, which looks to -Y */
    size_t max_triangles; /* decimate above; 0 keeps all */
    double bed_mm[3];     /* printer's build volume, 0 = not checked */
    double unit_mm;       /* from read_notes: the mesh is in millimetres already when > 0 */
    struct prep_limits limits;
    struct base_options base;       /* zeros: none; part of the ordered height */
    bool split_base;                /* the base beside the figure, with a peg; needs a base */
    struct hollow_options hollow;   /* wall_mm 0: stays full */
    const struct skin *skin;        /* colours of the mesh, as it was read with them; or NULL */
    struct palette_options palette; /* count 0: no colours are looked for */
    const struct picture *mask;     /* the photo's cut-out or mask, for the likeness; or NULL */
};

#define PREP_OPTIONS_DEFAULT                                                                       \
    ((struct prep_options){                                                                        \
        .flatten_mm = 0.6, .orient = ORIENT_UPRIGHT, .limits = PREP_LIMITS_DEFAULT})

struct prepared {
    struct mesh mesh;   /* to be printed; empty when rejected */
    struct mesh before; /* what was sent, welded, in the same place: to show what changed */
    enum verdict verdict;
    struct palette palette;           /* count 0: there are no colours */
    uint8_t *colour;                  /* per triangle of mesh, into palette; or NULL */
    double base_low[3], base_high[3]; /* a box around the base and no more; equal without one */
    bool apart;                       /* the base stands beside the figure */
};

/* What is one object to whoever prints: the figure with its base, or one of the two. */
struct prepared_part {
    const char *name;   /* "figure" or "base" */
    struct mesh mesh;   /* about its own pivot: x and y centred on 0, lowest z = 0 */
    uint8_t *colour;    /* as prepared's; or NULL */
    double place_mm[3]; /* of its pivot, where prepared's is at 0 */
    bool borrowed;      /* mesh and colour are prepared's own */
};

/**
 * Measures and judges a mesh without changing it: the body of `mesh inspect`.
 * Result   a report as schemas/mesh-report.schema.json describes; caller cJSON_Deletes it.
 */
int mesh_inspect(cJSON **report, const struct mesh *in, const struct prep_options *options,
                 struct err *err) MUST_CHECK;

/**
 * Prepares a mesh for printing: weld, repair, orient, scale, flatten, pivot at the bottom centre
 * (x and y centred on 0, lowest z = 0), measure again.
 * Result   out->mesh is closed, 2-manifold and free of self-intersections, also after rounding to
 *          float, unless the verdict is reject, and then it is empty. The verdict agrees with the
 *          report's.
 * Owner    the caller calls prepared_free and deletes *report. in is not changed.
 * Errors   ERR_INPUT those of mesh_add_base; ERR_LIMIT no memory; a bad mesh is a verdict, not an
 * error.
 */
int mesh_prep(struct prepared *out, cJSON **report, const struct mesh *in,
              const struct prep_options *options, struct err *err) MUST_CHECK;

/** The triangle is of the base that was put under the figure. */
bool prepared_is_base(const struct prepared *prepared, size_t triangle);

/**
 * The mesh and its colours as one object, or as two where the base stands apart: the figure, then
 * the base. Together, each moved to its place, they are that mesh bit for bit.
 * Owner    the caller calls prepared_parts_free, before prepared_free. Errors ERR_LIMIT.
 */
int prepared_parts(struct prepared_part parts[2], size_t *count, const struct prepared *prepared,
                   struct err *err) MUST_CHECK;
void prepared_parts_free(struct prepared_part parts[2]);

void prepared_free(struct prepared *prepared);

#endif
