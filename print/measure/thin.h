/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thin walls: where a solid has too little material to print, and how large it would have to be. */
#ifndef PRINT_MEASURE_THIN_H
#define PRINT_MEASURE_THIN_H

#include "print/measure/bvh.h"

/* A mesh passes when at most this share of its surface is thin, unless the options say otherwise:
 * below lies what a sharp crease or a grain of noise makes. */
#define THIN_PASS_SHARE 0.001

struct thin_walls {
    double thin_share; /* of the surface, with less material behind it than the limit */
    double thin_area_mm2;
    double thinnest_mm;    /* the share that may be thin is this thin or thinner */
    double thinnest_at[3]; /* a point of the surface there */
    double pass_scale;     /* least factor on the size at which the mesh passes; at or below 1 it
                            * passes now. Between 1/3 (or less) and 16 (or more). */
};

struct thin_options {
    double limit_mm;     /* the material's least wall, > 0 */
    double pass_share;   /* of the surface that may be thin; 0: THIN_PASS_SHARE */
    size_t samples;      /* 0: 24,000 */
    float *per_triangle; /* NULL, or triangle_count numbers: what is there in mm, for a heat map */
};

/**
 * Measures the material behind the surface of a solid (closed, facing outwards, no overlaps).
 *
 * Thickness behind a point is the median of five rays into the solid, straight and 20 degrees to
 * four sides, each measured across the slab between the two surfaces that it joins. A ray that does
 * not meet a surface facing the other way (within 45 degrees of it) ends at an edge, not at a wall.
 * Thin is a point with less than the limit behind it, unless a place with enough is within 1.5
 * limits of it through the material: the rim of a wedge and a low ridge are printed a little
 * rounder, and that is all.
 *
 * Result   per_triangle holds the thickness behind each triangle's middle, or limit_mm where it is
 * forgiven in that way; INFINITY where there is none. Without per_triangle the cost is that of the
 * samples: measured 0.1 s for a million triangles, 2 processors.
 * Threads  parallel inside; the same result whatever their number. Errors ERR_LIMIT no memory.
 */
int mesh_thin_walls(struct thin_walls *out, const struct bvh *bvh,
                    const struct thin_options *options, struct err *err) MUST_CHECK;

#endif
