/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers about a mesh: what is broken, how large it is, how it will stand and print. */
#ifndef PRINT_MEASURE_MEASURE_H
#define PRINT_MEASURE_MEASURE_H

#include <stdbool.h>

#include "print/measure/topology.h"
#include "print/measure/vec.h"

/* The counts are of the mesh as a reader of the written STL sees it: equal corners welded. */
struct mesh_measures {
    size_t triangles, vertices, shells;
    size_t boundary_edges, nonmanifold_edges, nonmanifold_vertices, inconsistent_edges;
    size_t degenerate; /* triangles with two equal corners; left out of the other counts */
    bool watertight;   /* no boundary, non-manifold or inconsistent edge */
    double volume_mm3, area_mm2;
    double size_mm[3], min_mm[3], max_mm[3];
};

/* What is measured only on the printable result. */
struct print_measures {
    size_t self_intersections;
    double deviation_mean_mm, deviation_max_mm;
    double contact_area_mm2, overhang_area_mm2;
    double tilt_margin_deg;  /* how far it may lean before it falls; negative: it falls at once */
    double tips_towards_deg; /* the way it tips first: 0 is +X, 90 is +Y (the back) */
    double thin_share;       /* share of the surface with less material behind it than the limit */
    double thinnest_mm; /* these four as thin.h has them; INFINITY and 0 where nothing was asked */
    double thinnest_at[3];
    double pass_scale;  /* factor on the size from which on no wall is too thin */
    double moved_share; /* share of the visible input that is not in the output bit for bit */
};

/** Measures a mesh; welds a copy of it first. Cost O(n). */
int mesh_measure(struct mesh_measures *out, const struct mesh *mesh, struct err *err) MUST_CHECK;

/** The same of a mesh that is welded and free of degenerate triangles, without a copy. */
int mesh_measure_welded(struct mesh_measures *out, const struct mesh *mesh,
                        struct err *err) MUST_CHECK;

/** Box of the used vertices; zeros when there is none. */
void mesh_bounds(const struct mesh *mesh, double min_mm[3], double max_mm[3]);

/** Signed volume: positive when the triangles face outward. */
double mesh_volume(const struct mesh *mesh);

/** Of a solid evenly full; of what has no volume the first corner. There must be a triangle. */
struct vec mesh_centre_of_mass(const struct mesh *mesh);

struct print_measure_options {
    const struct mesh *visible; /* the input in the output's place, for the deviation; or NULL */
    double min_wall_mm;         /* 0: thin_share stays 0 */
    double overhang_deg;        /* from vertical; 45 is usual */
    bool uncrossed; /* known to have no self-intersections: they are not searched for again */
};

/**
 * Measures a finished mesh that stands on the plane z = its lowest point.
 * Cost O(n log n) in sampled distances and rays; the samples are the same each time.
 */
int mesh_measure_print(struct print_measures *out, const struct mesh *mesh,
                       const struct print_measure_options *options, struct err *err) MUST_CHECK;

/** Contact area, overhang area and tilt margin alone. */
int mesh_measure_stand(struct print_measures *out, const struct mesh *mesh, double overhang_deg,
                       struct err *err) MUST_CHECK;

/** Counts shells that begin over the bed: printed in the air, they come off with the support. */
int mesh_count_floating(size_t *count, const struct mesh *mesh, struct err *err) MUST_CHECK;

/** Counter-clockwise convex hull of 2D points, in place; returns its size. */
size_t hull_2d(double (*points)[2], size_t count);

#endif
