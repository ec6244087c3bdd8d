/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For meshes in which nothing meets; others are told by counts.left. */
#include "print/repair/arrange.h"

#include <stdlib.h>

#include "print/measure/bvh.h"

int mesh_arrange(struct mesh *mesh, uint32_t **from, struct arrange_counts *counts, struct err *err)
{
    struct bvh bvh;
    struct bvh_pairs pairs = {0};
    struct bvh_pair_options options = {0};
    *counts = (struct arrange_counts){0};
    *from = malloc((mesh->triangle_count + 1) * sizeof **from);
    if (!*from)
        return FAIL(err, ERR_LIMIT, "no memory for %zu triangles", mesh->triangle_count);
    for (uint32_t t = 0; t < mesh->triangle_count; t++)
        (*from)[t] = t;
    if (bvh_build(&bvh, mesh, err))
        return -1;
    options.max_tests = SIZE_MAX;
    int failed = bvh_meeting_pairs(&pairs, &bvh, &options, err);
    counts->pairs = counts->left = pairs.count;
    bvh_pairs_free(&pairs);
    bvh_free(&bvh);
    return failed;
}
