/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heat maps: thin walls, overhangs or change painted on the mesh, with a legend. */
#ifndef PRINT_RENDER_HEAT_H
#define PRINT_RENDER_HEAT_H

#include "print/render/render.h"

enum heat { HEAT_THIN, HEAT_OVERHANG, HEAT_DEVIATION };

#define HEAT_STOPS 5

/* Colours between the stops are mixed; beyond the ends they stay. */
struct heat_scale {
    const char *title;
    double values[HEAT_STOPS]; /* rising */
    uint8_t rgb[HEAT_STOPS][3];
};

struct heat_inputs {
    double wall_mm;             /* HEAT_THIN: the least wall of the material, > 0 */
    const struct mesh *visible; /* HEAT_DEVIATION: the input in the mesh's place */
};

/** "thin", "overhang", "deviation"; -1 for an unknown word. */
int heat_from_name(const char *name);

/**
 * Measures each triangle of a mesh that stands on its lowest point: mm of material, degrees of
 * overhang, or mm moved. values: triangle_count numbers. *scale becomes what suits them.
 * Cost     thin: some rays for each triangle, 1 s for 400,000, 2 processors. Errors ERR_LIMIT.
 */
int heat_measure(float *values, struct heat_scale *scale, enum heat kind, const struct mesh *mesh,
                 const struct heat_inputs *inputs, struct err *err) MUST_CHECK;

/** rgb: count x 3 bytes. NaN is painted as the highest. */
void heat_colours(uint8_t *rgb, const float *values, size_t count, const struct heat_scale *scale);

/** Draws the mesh in these colours with the legend on the right; as mesh_render otherwise. */
int mesh_render_heat(struct picture *out, const struct mesh *mesh, const float *values,
                     const struct heat_scale *scale, const struct render_options *options,
                     struct err *err) MUST_CHECK;

#endif
