/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All that is measured on a finished mesh, over one tree. */
#include "print/measure/compare.h"
#include "print/measure/measure.h"
#include "print/measure/thin.h"

#define MAX_CROSSING_TESTS ((size_t)60000000)

static int add_deviation(struct print_measures *out, const struct bvh *bvh,
                         const struct mesh *visible, struct err *err)
{
    struct deviation d;
    if (mesh_deviation(&d, NULL, visible, bvh->mesh, bvh, err))
        return -1;
    out->deviation_mean_mm = d.mean_mm;
    out->deviation_max_mm = d.max_mm;
    out->moved_share = d.moved_share;
    return 0;
}

static int add_thin(struct print_measures *out, const struct bvh *bvh, double min_wall_mm,
                    struct err *err)
{
    struct thin_options options = {.limit_mm = min_wall_mm};
    struct thin_walls w;
    if (mesh_thin_walls(&w, bvh, &options, err))
        return -1;
    out->thin_share = w.thin_share;
    out->thinnest_mm = w.thinnest_mm;
    out->pass_scale = w.pass_scale;
    for (int k = 0; k < 3; k++)
        out->thinnest_at[k] = w.thinnest_at[k];
    return 0;
}

int mesh_measure_print(struct print_measures *out, const struct mesh *mesh,
                       const struct print_measure_options *options, struct err *err)
{
    struct print_measures m = {.thinnest_mm = INFINITY};
    struct bvh bvh;
    if (mesh->triangle_count == 0) {
        *out = m;
        return 0;
    }
    if (mesh_measure_stand(&m, mesh, options->overhang_deg, err) || bvh_build(&bvh, mesh, err))
        return -1;
    int failed = 0;
    if (!options->uncrossed)
        failed = bvh_self_intersections(&bvh, &m.self_intersections, MAX_CROSSING_TESTS, err);
    if (!failed && options->visible)
        failed = add_deviation(&m, &bvh, options->visible, err);
    if (!failed && options->min_wall_mm > 0)
        failed = add_thin(&m, &bvh, options->min_wall_mm, err);
    bvh_free(&bvh);
    if (failed)
        return -1;
    *out = m;
    return 0;
}
